//! How does a user get the credentials of a person, as gcloud and the libraries keep them?

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use super::{Failure, Which};
use crate::client::{Call, Client, ClientError};
use crate::config::Settings;
use crate::environment::{Mode, OWNER_TOKEN, Shell, place_flags, reachable, set_command};
use crate::print;

/// The client of gcloud, which is the audience of the ID tokens of its users; its secret is published.
const GCLOUD: (&str, &str) = ("32555940559.apps.googleusercontent.com", "ZmssLNjJy2998hD4CTg2ejr2");

/// The same of application-default credentials.
const ADC: (&str, &str) =
    ("764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com", "d-FL95Q19q7MQmFpd7hHD0Ty");

#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(after_help = "Examples:
  groundrun login --as ada@example.test
  groundrun login --as ada@example.test --adc --file ada.json")]
pub(super) struct Login {
    #[command(flatten)]
    which: Which,
    /// Address of the person
    #[arg(long = "as", value_name = "EMAIL")]
    email: String,
    /// File to write [default: DATA_DIR/logins/EMAIL.json; EMAIL.adc.json with --adc]
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Sign in for application-default credentials instead of gcloud: ID tokens are for another client
    #[arg(long)]
    adc: bool,
}

/// Asks the emulator for a refresh token, and writes the file that holds it.
pub(super) async fn run(login: Login, program: &str) -> Result<u8, Failure> {
    let settings = login.which.layered()?.resolve()?;
    let (email, refresh_token) = sign_in(&settings, &login.email, program).await?;
    let (client_id, client_secret) = if login.adc { ADC } else { GCLOUD };
    let credentials = json!({
        "account": email,
        "client_id": client_id,
        "client_secret": client_secret,
        "refresh_token": refresh_token,
        "type": "authorized_user",
        "universe_domain": "googleapis.com",
    });
    let directory = settings.data_dir.join("logins");
    let path = login.file.unwrap_or_else(|| {
        // Two clients, two files: as in the cloud, neither sign-in ends the other.
        directory.join(if login.adc { format!("{email}.adc.json") } else { format!("{email}.json") })
    });
    let failed = |error| Failure::new(format_args!("cannot write {}: {error}", path.display()));
    write(&path, &credentials).map_err(failed)?;
    let path = std::path::absolute(&path).map_err(failed)?;
    print::line(format_args!("{email} is signed in; the credentials are in {}", path.display()));
    print::line(instructions(&settings, &path, login.adc, Shell::current(), program));
    Ok(0)
}

/// What the user's shell must run so that the file is used. A library sends the refresh token to the host
/// that the file does not name and its code does: it must not be Google's.
fn instructions(settings: &Settings, path: &Path, adc: bool, shell: Shell, program: &str) -> String {
    let path = path.display().to_string();
    let gcloud = [
        set_command(settings, Mode::Gcloud, shell, program),
        shell.unset("CLOUDSDK_AUTH_ACCESS_TOKEN"),
        shell.set("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", &path),
    ];
    let libraries = [
        set_command(settings, Mode::All, shell, program),
        shell.set("GOOGLE_APPLICATION_CREDENTIALS", &path),
    ];
    let mut text = String::new();
    if !adc {
        text += &format!("\nWith gcloud:\n  {}", gcloud.join("\n  "));
    }
    text + &format!(
        "\nWith client libraries (application-default credentials):\n  {}",
        libraries.join("\n  ")
    )
}

/// The address as it is known there, and the refresh token.
async fn sign_in(settings: &Settings, email: &str, program: &str) -> Result<(String, String), Failure> {
    let answer = Client::new(reachable(settings.listen))
        .send(Call {
            method: Method::POST,
            path: "/emulator/login",
            token: Some(OWNER_TOKEN),
            body: Some(&json!({ "email": email })),
            ..Call::default()
        })
        .await
        .map_err(|error| match error {
            ClientError::Refused(_) => Failure::new(format_args!("no emulator runs: {error}"))
                .hint(format!("start one with `{program} serve{}`", place_flags(settings, Shell::current()))),
            other => other.into(),
        })?;
    let body = answer.json();
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    match (text("email"), text("refreshToken")) {
        (Some(email), Some(token)) if answer.status.is_success() => Ok((email, token)),
        _ => Err(Failure::new(format_args!("not signed in: {}: {}", answer.status, answer.message()))),
    }
}

/// Writes the file anew, for its owner only: whoever reads it is that person.
fn write(path: &Path, credentials: &Value) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(format!("{credentials:#}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_begins_with_the_environment_that_it_needs() {
        let settings = Settings { listen: ([127, 0, 0, 1], 9000).into(), ..Settings::default() };
        let told = |adc, shell| instructions(&settings, Path::new("/a b/ada.json"), adc, shell, "groundrun");
        let sh = told(false, Shell::Sh);
        insta::assert_snapshot!(sh);
        let adc = told(true, Shell::Sh);
        assert!(sh.ends_with(&adc) && !adc.contains("CLOUDSDK"), "{adc}");
        let fish = told(true, Shell::Fish);
        assert!(fish.contains("--mode all | source"), "{fish}");
        assert!(fish.ends_with("set -gx GOOGLE_APPLICATION_CREDENTIALS '/a b/ada.json'"), "{fish}");
    }
}
