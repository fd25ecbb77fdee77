//! May this caller invoke this service, and if not, why not and what would allow it?
//!
//! The phases of the data plane that are functions of values. Verifying a signature is not one of them:
//! [`authorize`] is given claims that were verified. Which page a denial becomes belongs to the proxy.

mod denial;

use crate::account::is_service_account;
use crate::audience::AudienceSet;
use crate::iam::Principal;
use crate::routing::{Public, Route};
use crate::time::Timestamp;
use crate::token::IdClaims;

pub use denial::Denial;

/// What a request shows to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential<'a> {
    /// Nothing.
    None,
    /// Something that cannot be a token; the text says why.
    Malformed(&'static str),
    /// A token, not yet looked at.
    Token(&'a str),
}

/// The header that a credential was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialHeader {
    /// `X-Serverless-Authorization`, which wins whenever it is there.
    ServerlessAuthorization,
    /// `Authorization`.
    Authorization,
}

impl<'a> Credential<'a> {
    /// Takes the credential from the values of the two headers, and says from which it came. If
    /// `X-Serverless-Authorization` is there, `Authorization` is not looked at.
    pub fn pick(
        mut serverless: impl Iterator<Item = &'a [u8]>,
        mut authorization: impl Iterator<Item = &'a [u8]>,
    ) -> (Self, Option<CredentialHeader>) {
        if let Some(first) = serverless.next() {
            let credential = Self::read(first, serverless.next().is_some());
            return (credential, Some(CredentialHeader::ServerlessAuthorization));
        }
        match authorization.next() {
            Some(first) => {
                let credential = Self::read(first, authorization.next().is_some());
                (credential, Some(CredentialHeader::Authorization))
            }
            None => (Self::None, None),
        }
    }

    fn read(value: &'a [u8], is_repeated: bool) -> Self {
        if is_repeated {
            return Self::Malformed("the header is there more than once");
        }
        let Ok(text) = std::str::from_utf8(value) else {
            return Self::Malformed("the header is not text");
        };
        let Some((scheme, token)) = text.trim().split_once(' ') else {
            return Self::Malformed("the header is not of the form `Bearer TOKEN`");
        };
        let token = token.trim();
        // All of a token is looked at, many bytes at once: it is long, and as a rule there is nothing to find.
        if !scheme.eq_ignore_ascii_case("bearer") {
            Self::Malformed("the scheme of the header is not Bearer")
        } else if token.bytes().fold(false, |found, byte| found | matches!(byte, b' ' | b',' | b'\t')) {
            Self::Malformed("the header has more than one token")
        } else {
            Self::Token(token)
        }
    }
}

/// Who calls, as far as a verified token says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Caller {
    /// The address in lower case, if the token names a verified one.
    pub email: Option<String>,
    /// The unique id.
    pub unique_id: String,
}

impl From<&IdClaims> for Caller {
    fn from(claims: &IdClaims) -> Self {
        Self { email: verified_email(claims).map(str::to_ascii_lowercase), unique_id: claims.sub.clone() }
    }
}

/// How a caller came to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum How {
    /// The service is public.
    Public(Public),
    /// The caller holds `run.routes.invoke`.
    Invoker,
}

/// The proof that a request may be forwarded. Only [`authorize`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    caller: Option<Caller>,
    how: How,
}

impl Permit {
    /// Who calls; `None` if no verified token was shown.
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// How the caller was let in.
    pub fn how(&self) -> How {
        self.how
    }
}

/// What a request is, as far as it matters to who may make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// When it is judged.
    pub now: Timestamp,
    /// The host of its URL, in lower case and without a port: `request.host` of a condition.
    pub host: &'a str,
    /// The path of its URL as an instance sees it (without needless escapes, and otherwise as sent), without
    /// the query: `request.path` of a condition.
    pub path: &'a str,
}

/// Decides whether `call`, a request to `route`, may be forwarded. `claims` are those of a token whose issuer,
/// signature and time are verified, or `None` if there is no credential.
///
/// # Errors
/// The audience is judged before the role: a wrong audience is an unauthorized credential (401), a missing
/// role a forbidden caller (403). The credential of an account that was disabled or deleted is refused as one
/// that is not valid (401).
pub fn authorize(route: &Route, claims: Option<&IdClaims>, call: &Call<'_>) -> Result<Permit, Denial> {
    if let Some(public) = route.access.public(call) {
        return Ok(Permit { caller: claims.map(Caller::from), how: How::Public(public) });
    }
    let Some(claims) = claims else {
        return Err(Denial::NoCredential { why: route.access.refusal(None, call) });
    };
    check_audience(&route.audiences, claims)?;
    let who = principal(claims);
    if route.access.admits(&who, call) {
        return Ok(Permit { caller: Some(Caller::from(claims)), how: How::Invoker });
    }
    if let Some(why) = route.access.unfit(&who) {
        return Err(Denial::Credential(why));
    }
    let why = route.access.refusal(Some(&who), call);
    Err(Denial::NotAnInvoker { caller: Caller::from(claims), why })
}

fn check_audience(audiences: &AudienceSet, claims: &IdClaims) -> Result<(), Denial> {
    // The tokens of users always name the user; one without an email is a service account's.
    let is_user = verified_email(claims).is_some_and(|email| !is_service_account(email));
    if audiences.accepts(&claims.aud, is_user) {
        return Ok(());
    }
    Err(Denial::Audience { given: claims.aud.clone(), accepted: audiences.accepted().collect() })
}

fn principal(claims: &IdClaims) -> Principal<'_> {
    Principal { email: verified_email(claims), unique_id: &claims.sub, hosted_domain: claims.hd.as_deref() }
}

/// The address counts only if the issuer vouches for it.
fn verified_email(claims: &IdClaims) -> Option<&str> {
    claims.email.as_deref().filter(|_| claims.email_verified == Some(true))
}

#[cfg(test)]
mod tests;
