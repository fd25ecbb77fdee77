//! Does a secret get to where it does not belong?

use groundrun_engine::OWNER_TOKEN;
use groundrun_tests::{Client, Http2, PROJECT, Program, at, from_base64};
use http::Method;
use serde_json::{Value, json};

/// The text at `name`, noted as a secret.
fn keep(secrets: &mut Vec<String>, json: &Value, name: &str) -> String {
    let secret = at(json, name).as_str().unwrap().to_owned();
    secrets.push(secret.clone());
    secret
}

/// Everything that is done with secrets, at the level that logs most, and none of them is in the log, nor in
/// the data directory outside of the keys.
#[tokio::test]
async fn no_secret_is_in_the_log_nor_beside_the_keys() {
    let directory = tempfile::tempdir().unwrap();
    let (data, log) = (directory.path().join("data"), directory.path().join("log"));
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--strict-identity", "--log", "trace", "--data-dir"];
    let mut command = Program::command("sh", ["-c", "log=$1; shift; exec \"$@\" 2>$log", "sh"]);
    command.arg(&log).arg(env!("CARGO_BIN_EXE_groundrun")).args(arguments).arg(&data);
    let emulator = Program::serve(command).await;
    let client = emulator.client();
    let mut secrets: Vec<String> = Vec::new();
    let post = async |path: &str, body: Value| {
        client.post(path, &body).bearer(OWNER_TOKEN).http2(Http2).send().await.expect(200).json()
    };
    let signed_in = post("/emulator/login", json!({ "email": "ada@example.test" })).await;
    let refresh = keep(&mut secrets, &signed_in, "/refreshToken");
    let form =
        [("grant_type", "refresh_token"), ("client_id", "gcloud"), ("refresh_token", refresh.as_str())];
    let tokens = client.ask(Method::POST, "/token").form(&form).http2(Http2).send().await.expect(200).json();
    let (access, _) =
        (keep(&mut secrets, &tokens, "/access_token"), keep(&mut secrets, &tokens, "/id_token"));
    let account =
        post(&format!("/v1/projects/{PROJECT}/serviceAccounts"), json!({ "accountId": "keyed-account" }))
            .await;
    let name = at(&account, "/name").as_str().unwrap().to_owned();
    let made = post(&format!("/v1/{name}/keys"), json!({})).await;
    let file: Value =
        serde_json::from_slice(&from_base64(&keep(&mut secrets, &made, "/privateKeyData"))).unwrap();
    let pem = keep(&mut secrets, &file, "/private_key");
    let _ = post("/emulator/keys", json!({ "pem": pem, "kid": "mine" })).await;
    let _ = post("/emulator/keys:rotate", json!({})).await;
    let opened = post("/emulator/workloads", json!({})).await;
    let door = Client::new(at(&opened, "/address").as_str().unwrap().parse().unwrap());
    for what in ["token", "identity?audience=a"] {
        let path = format!("/computeMetadata/v1/instance/service-accounts/default/{what}");
        let answer = door.get(path).header("metadata-flavor", "Google").send().await.expect(200).text();
        match serde_json::from_str(&answer) {
            Ok(json) => drop(keep(&mut secrets, &json, "/access_token")),
            Err(_) => secrets.push(answer),
        }
    }
    // The same in requests that are refused, by either version of HTTP.
    for secret in secrets.clone().iter().chain([&access]).filter(|secret| !secret.contains('\n')) {
        let _ = client.get("/v1/projects").bearer(secret).send().await;
        let _ = client.get("/v1/projects").bearer(format!("{secret}x")).http2(Http2).send().await;
        let _ = client.get(format!("/tokeninfo?access_token={secret}x")).send().await;
        let _ = client.post("/emulator/keys", &json!({ "pem": secret, "kid": "b" })).send().await;
        let asked = client.post("/emulator/keys", &json!({ "pem": secret, "kid": "b" })).bearer(OWNER_TOKEN);
        assert!(!asked.send().await.expect(400).text().contains(secret));
    }
    emulator.kill().await;
    let written = std::fs::read_to_string(&log).unwrap();
    assert!(written.contains("TRACE"), "it logs: {written}");
    let mut beside = vec![(log, written.into_bytes())];
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            beside.push((path, bytes));
        }
    }
    for (path, bytes) in &beside {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("PRIVATE KEY"), "{}", path.display());
        // A piece is as bad as the whole: a line of a key, the seal of a token.
        let pieces =
            secrets.iter().flat_map(|secret| secret.lines().filter(|line| !line.starts_with("-----")));
        for piece in pieces {
            let end = &piece[piece.len().saturating_sub(40)..];
            assert!(!text.contains(end), "a secret is in {}", path.display());
        }
    }
    check_modes(&data);
}

#[cfg(unix)]
fn check_modes(data: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for directory in ["keys", "ca"] {
        let directory = data.join(directory);
        assert_eq!(mode(&directory), 0o700);
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let holds_key = std::fs::read(&path).unwrap().windows(11).any(|words| words == b"PRIVATE KEY");
            assert!(!holds_key || mode(&path) == 0o600, "{}", path.display());
        }
    }
}

#[cfg(not(unix))]
fn check_modes(_data: &std::path::Path) {}
