//! Who signs, and whose signature counts?
//!
//! The only crate that sees a private key. [`Keys`] makes ID tokens, access tokens and signatures of
//! service accounts and publishes the public halves; [`Verifier`] decides whether an ID token is one
//! that these keys signed and that has not ended. Whom a token may call is not decided here.
//!
//! Three things are signed, and none passes for another:
//! - an ID token, by RS256 with the key of Google's own certificates;
//! - what a service account signs (`signJwt`, `signBlob`), by RS256 with a second key, published only
//!   as that account's, so that a self-signed JWT never passes for an ID token whatever it claims;
//! - an access token, by HMAC with a secret that is derived from the first key and never published.

mod access;
mod ca;
mod cache;
mod document;
mod error;
mod file;
mod jwt;
mod keys;
mod provider;
mod signing_key;
mod slot;
mod verifier;

#[cfg(test)]
mod tests;

pub use access::AccessClaims;
pub use ca::{Ca, CaError, LeafName, bundle, java_trust_store};
pub use error::{KeyError, TokenError};
pub use keys::Keys;
pub use verifier::{Verified, Verifier};
