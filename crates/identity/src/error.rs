//! Why is there no key, and why is a token refused?
//!
//! Both texts are shown to the developer who runs the emulator. They name files, key ids and times, and
//! never a token, a signature or a private key.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use groundrun_model::Timestamp;

/// Why a key cannot be had or used. Cheap to clone: every waiter for a key gets the same answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// The directory of the keys cannot be made.
    #[error("cannot make the directory of the signing keys {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// The file of a key is there and cannot be read.
    #[error("cannot read the signing key {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// The file of a key cannot be written.
    #[error("cannot write the signing key {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: Arc<io::Error>,
    },
    /// The file of a key does not hold a key. It is left as it is: a new key would silently end every
    /// token that the old one signed.
    #[error(
        "the signing key {} is damaged ({reason}): restore it, or remove it and start again with a new key",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A PEM text that was handed over does not hold an RSA private key.
    #[error("this is no RSA private key in PEM form: {0}")]
    Pem(String),
    /// The key of a service account is the key of the ID tokens: its JWTs would pass for ID tokens.
    #[error("the signing key of service accounts must not be the signing key of ID tokens (key {kid})")]
    SameKey {
        /// The id of the key.
        kid: String,
    },
    /// What was handed over holds no key that can be used.
    #[error("this is no public key to trust: {0}")]
    PublicKey(&'static str),
    /// The id under which a key is to be trusted is none.
    #[error("a key id (kid) is 1 to 128 printable characters without a space")]
    KeyId,
    /// The id under which a key is to be trusted is that of a key of the emulator's own.
    #[error("the key id {kid} is that of a key of this emulator: choose another one")]
    OwnKeyId {
        /// The id of the key.
        kid: String,
    },
    /// The id under which a key is to be trusted means another key already.
    #[error("another key was imported under the key id {kid}: choose another one")]
    OtherKey {
        /// The id of the key.
        kid: String,
    },
    /// A key could not be made.
    #[error("cannot make a signing key: {0}")]
    Make(String),
    /// A signature or a certificate could not be made.
    #[error("cannot sign with the key {kid}: {reason}")]
    Sign {
        /// The id of the key.
        kid: String,
        /// What the cryptographic library said.
        reason: String,
    },
    /// The payload of `signJwt` is not a JSON object.
    #[error("the payload to sign is not a JSON object: {0}")]
    Payload(String),
}

/// Why a token is refused: a plain sentence for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// A JWT has a header, a payload and a signature.
    #[error("the token has {count} part{} instead of 3", if *count == 1 { "" } else { "s" })]
    Parts {
        /// How many parts there are.
        count: usize,
    },
    /// A token that is not even read.
    #[error("the token is {bytes} bytes long; more than 16384 are not read")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// An access token where an ID token is wanted.
    #[error("this is an access token; Cloud Run takes ID tokens only")]
    AccessToken,
    /// An ID token, or no token at all, where an access token is wanted.
    #[error("this is not an access token: an access token begins with ya29.")]
    NotAnAccessToken,
    /// An access token of somebody else, such as a real one of Google's.
    #[error("this access token was not made by an emulator")]
    ForeignAccessToken,
    /// An access token of an emulator that had another key, or one that was changed on its way.
    #[error("this access token was made by another emulator, or it was altered")]
    BrokenAccessToken,
    /// The first part cannot be read.
    #[error("the header of the token cannot be read: {reason}")]
    Header {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another algorithm than RS256, `none` among them.
    #[error("the header of the token says alg {alg}; an ID token is signed with RS256")]
    Algorithm {
        /// The algorithm, made fit to print.
        alg: String,
    },
    /// The header does not say which key signed.
    #[error("the header of the token names no key (kid)")]
    NoKeyId,
    /// No key of this emulator, a key of the real Google for example.
    #[error("the token is signed by key {kid}, which this emulator did not make")]
    UnknownKey {
        /// The key id of the header, made fit to print.
        kid: String,
    },
    /// A key that signed ID tokens before a rotation, of which none can live any more.
    #[error("the token is signed by key {kid}, which was rotated out and ended at {}", at.to_rfc3339_seconds())]
    RetiredKey {
        /// The key id of the header.
        kid: String,
        /// When the key left.
        at: Timestamp,
    },
    /// A JWT that a service account signed itself.
    #[error(
        "the token is signed by the service account {email} itself (key {kid}); Cloud Run takes ID tokens \
         that Google signed"
    )]
    ServiceAccountKey {
        /// The key id of the header.
        kid: String,
        /// The account whose key it is.
        email: String,
    },
    /// The signature is not that of this header and this payload.
    #[error("the signature does not match")]
    Signature,
    /// The payload is not that of an ID token.
    #[error("the claims are not those of an ID token: {reason}")]
    Claims {
        /// Which claim is missing or of the wrong type.
        reason: String,
    },
    /// `aud` is a list or anything else that is no string.
    #[error("the audience (aud) of the token is not a string")]
    Audience,
    /// `iss` is not Google.
    #[error("the token is issued by {issuer}, not by https://accounts.google.com")]
    Issuer {
        /// The `iss` of the token, made fit to print.
        issuer: String,
    },
    /// `exp` has passed.
    #[error("the token ended at {}, {ago_seconds} s ago", at.to_rfc3339_seconds())]
    Ended {
        /// The `exp` of the token.
        at: Timestamp,
        /// How long ago that was, in seconds.
        ago_seconds: i64,
    },
    /// `iat` is further ahead than clocks differ.
    #[error("the token was issued at {}, {ahead_seconds} s in the future", at.to_rfc3339_seconds())]
    NotYetIssued {
        /// The `iat` of the token.
        at: Timestamp,
        /// How far ahead that is, in seconds.
        ahead_seconds: i64,
    },
    /// `nbf` is further ahead than clocks differ.
    #[error("the token is not valid before {}, {ahead_seconds} s in the future", at.to_rfc3339_seconds())]
    NotYetValid {
        /// The `nbf` of the token.
        at: Timestamp,
        /// How far ahead that is, in seconds.
        ahead_seconds: i64,
    },
}

/// How many characters of a stranger's text are shown.
const SHOWN_CHARACTERS: usize = 64;

/// What a stranger wrote, fit for one line of a log: short, and nothing that moves the cursor.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(SHOWN_CHARACTERS) {
        match character {
            ' '..='~' => shown.push(character),
            _ => shown.extend(character.escape_default()),
        }
    }
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push('…');
    }
    shown
}
