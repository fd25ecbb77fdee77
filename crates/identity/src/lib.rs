//! Who signs, and whose signature counts?
//!
//! The only crate that sees a private key. [`Keys`] makes ID tokens, access tokens and signatures of
//! service accounts and publishes the public halves; [`Verifier`] decides whether an ID token is one
//! that these keys signed and that has not ended. Whom a token may call is not decided here.
//!
//! Three things are signed, and none passes for another:
//! - an ID token, by RS256 with the current key of Google's own certificates;
//! - what a service account signs (`signJwt`, `signBlob`, its key files), by RS256 with a key of its own,
//!   published only as that account's, so that a self-signed JWT never passes for an ID token whatever it
//!   claims;
//! - an access token, by HMAC with a secret that is derived from a key of the ID tokens and never
//!   published.

mod access;
mod account_keys;
mod ca;
mod cache;
mod document;
mod error;
mod file;
mod jwt;
mod key_file;
mod keys;
mod pem;
mod provider;
mod public_key;
mod ring;
mod ring_files;
mod self_signed;
mod signing_key;
mod slot;
mod verifier;

#[cfg(test)]
mod tests;

pub use access::AccessClaims;
pub use ca::{Ca, CaError, LeafName, bundle, java_trust_store};
pub use document::{certificates, jwk_set, raw_keys};
pub use error::{KeyError, TokenError};
pub use key_file::KeyFile;
pub use keys::Keys;
pub use public_key::PublishedKey;
pub use ring::{KeyState, RingKey};
pub use self_signed::SelfSigned;
pub use verifier::{Verified, Verifier};
