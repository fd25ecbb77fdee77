// Does Java reach everything with nothing but its environment? Prints what it saw, a JSON value a line.
//
// Arguments as those of ../python/mode_all.py.

import java.net.HttpURLConnection;
import java.net.URI;

public class ModeAll {
    public static void main(String[] arguments) throws Exception {
        String token = arguments[2];
        String[][] urls = {{"hosted", arguments[0]}, {"local", arguments[1]}};
        for (String[] url : urls) {
            saw(url[0], status(url[1], token));
            saw(url[0] + " without a token", status(url[1], null));
        }
        saw("certificates", status("https://www.googleapis.com/oauth2/v1/certs", null));
        var neighbour = URI.create(arguments[3]).toURL().openConnection().getInputStream();
        System.out.println("[\"neighbour\",\"" + new String(neighbour.readAllBytes()) + "\"]");
    }

    static int status(String url, String token) throws Exception {
        var connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
        if (token != null) {
            connection.setRequestProperty("Authorization", "Bearer " + token);
        }
        return connection.getResponseCode();
    }

    static void saw(String what, int status) {
        System.out.println("[\"" + what + "\"," + status + "]");
    }
}
