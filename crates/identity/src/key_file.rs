//! What is in the key file that a service account's owner downloads?
//!
//! It is the one place where a private key leaves this program, and leaves it for good.

use std::fmt;

use groundrun_model::account::Account;
use serde::Serialize;

use crate::document;
use crate::error::KeyError;
use crate::public_key::PublishedKey;
use crate::signing_key::SigningKey;

/// A key file, `TYPE_GOOGLE_CREDENTIALS_FILE`. Its text holds a private key: hand it to who asked for the
/// key, and to nobody else.
pub struct KeyFile(String);

impl KeyFile {
    /// The JSON of the file.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyFile")
    }
}

/// The file in Google's order.
#[derive(Serialize)]
struct Fields<'a> {
    r#type: &'static str,
    project_id: &'a str,
    private_key_id: &'a str,
    private_key: String,
    client_email: &'a str,
    client_id: &'a str,
    auth_uri: String,
    token_uri: String,
    auth_provider_x509_cert_url: String,
    client_x509_cert_url: String,
    universe_domain: &'static str,
}

/// Makes a key (80 to 600 ms of one core) and the file that holds it; `base` is the URL of the emulator.
pub(crate) fn make(
    account: &Account,
    project: &str,
    base: &str,
) -> Result<(PublishedKey, KeyFile), KeyError> {
    let key = SigningKey::generate()?;
    let email = &account.email;
    let fields = Fields {
        r#type: "service_account",
        project_id: project,
        private_key_id: key.kid(),
        private_key: key.to_pem().replace('\r', ""),
        client_email: email,
        client_id: &account.unique_id,
        auth_uri: format!("{base}/o/oauth2/auth"),
        token_uri: format!("{base}/token"),
        auth_provider_x509_cert_url: format!("{base}/oauth2/v1/certs"),
        client_x509_cert_url: format!("{base}/robot/v1/metadata/x509/{}", email.replace('@', "%40")),
        universe_domain: "googleapis.com",
    };
    let text = serde_json::to_string_pretty(&fields).map_err(|error| key.failure(&error))?;
    Ok((document::publish(&key, &account.unique_id)?, KeyFile(text)))
}
