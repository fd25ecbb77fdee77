//! How does a user get an ID token without gcloud?

use clap::Args;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Failure, Which};
use crate::client::{Call, Client, ClientError};
use crate::environment::{OWNER_TOKEN, Shell, place_flags, reachable};
use crate::print;

/// What an address may hold in a path as it is.
const EMAIL_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'@').remove(b'.').remove(b'-').remove(b'_');

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct Token {
    #[command(flatten)]
    which: Which,
    /// Audience of the token: a URL of the service, or one of its custom audiences
    #[arg(long)]
    audience: String,
    /// Account of the token: a service account or a user
    #[arg(long = "as", value_name = "EMAIL")]
    email: String,
    /// Put the address of the account into the token
    #[arg(long)]
    include_email: bool,
}

/// The path that mints an ID token for `email`.
pub(crate) fn mint_path(email: &str) -> String {
    let email = utf8_percent_encode(email, EMAIL_IN_PATH);
    format!("/v1/projects/-/serviceAccounts/{email}:generateIdToken")
}

/// Asks the emulator for a token and prints it.
pub(super) async fn run(token: Token, program: &str) -> Result<u8, Failure> {
    let settings = token.which.layered()?.resolve()?;
    let answer = Client::new(reachable(settings.listen))
        .send(Call {
            method: Method::POST,
            path: &mint_path(&token.email),
            token: Some(OWNER_TOKEN),
            body: Some(&json!({ "audience": token.audience, "includeEmail": token.include_email })),
            ..Call::default()
        })
        .await
        .map_err(|error| match error {
            ClientError::Refused(_) => Failure::new(format_args!("no emulator runs: {error}")).hint(format!(
                "start one with `{program} serve{}`",
                place_flags(&settings, Shell::current())
            )),
            other => other.into(),
        })?;
    match answer.json().get("token").and_then(Value::as_str) {
        Some(minted) if answer.status.is_success() => print::line(minted),
        _ => {
            let message = answer.message();
            return Err(Failure::new(format_args!("no token: {}: {message}", answer.status)));
        }
    }
    Ok(0)
}
