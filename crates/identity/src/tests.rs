//! The keys and accounts that the tests share.

mod access_tokens;
mod bad_tokens;
mod cache;
mod cache_properties;
mod documents;
mod files;
mod id_tokens;
mod import;
mod rotation;
mod self_signed;
mod service_accounts;
mod tampering;

use groundrun_model::Timestamp;
use groundrun_model::account::Account;
use groundrun_model::token::IdClaims;

use crate::Keys;
use crate::signing_key::SigningKey;

const ID_TOKEN_KEY: &str = include_str!("../fixtures/test-id-token-key.pem");
const SERVICE_ACCOUNT_KEY: &str = include_str!("../fixtures/test-service-account-key.pem");

/// The moment of every test: 2026-08-16T09:23:43Z.
const NOW: Timestamp = Timestamp::from_seconds(1_786_872_223);

fn keys() -> Keys {
    Keys::from_pems(ID_TOKEN_KEY, SERVICE_ACCOUNT_KEY).unwrap()
}

/// The key behind `keys()`, to sign what `Keys` would not.
fn id_token_key() -> SigningKey {
    SigningKey::from_pem(ID_TOKEN_KEY).unwrap()
}

fn caller() -> Account {
    Account::new("caller@demo.iam.gserviceaccount.com")
}

fn claims() -> IdClaims {
    IdClaims::new(&caller(), "https://api.example.test", true, NOW)
}
