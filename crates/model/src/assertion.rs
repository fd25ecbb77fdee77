//! What may a service account assert with a JWT that it signed itself?
//!
//! At the token endpoint (RFC 7523) it asks for an access token or an ID token; at an API it is shown as
//! the bearer. Whether the signature is the account's is decided elsewhere.
//! <https://developers.google.com/identity/protocols/oauth2/service-account>.

use serde_json::Value;

use crate::error::{Code, Error, Reason, Result};
use crate::time::Timestamp;

/// The audiences that an assertion may name: Google's token endpoint, by the names that it has had.
pub const TOKEN_ENDPOINTS: &[&str] = &[
    "https://oauth2.googleapis.com/token",
    "https://accounts.google.com/o/oauth2/token",
    "https://www.googleapis.com/oauth2/v4/token",
];

/// The domain of a refusal whose reason is an error code of RFC 6749.
pub const OAUTH: &str = "oauth2.googleapis.com";

/// The paths of the token endpoint, at Google and here.
const TOKEN_PATHS: &[&str] = &["/token", "/o/oauth2/token", "/oauth2/v4/token"];

/// How long an assertion may live, in seconds.
const LONGEST_SECONDS: i64 = 3600;

/// How far the clock of a client may be off, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 300;

/// Google's words for a signature that does not count.
const SIGNATURE: &str = "Invalid JWT Signature.";

/// What an assertion asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// An ID token for this audience (`target_audience`).
    IdToken(String),
    /// An access token with these scopes (`scope`).
    AccessToken(Vec<String>),
}

/// A refusal at the token endpoint: an error code of RFC 6749 and its description.
pub fn refusal(code: &'static str, description: impl Into<String>) -> Error {
    let mut error = Error::new(Code::InvalidArgument, description);
    error.reason = Some(Reason { reason: code, domain: OAUTH, metadata: None });
    error
}

/// The refusal of a grant that is not valid.
pub fn invalid_grant(description: impl Into<String>) -> Error {
    refusal("invalid_grant", description)
}

/// The refusal of a signature that is not the account's.
pub fn invalid_signature() -> Error {
    invalid_grant(SIGNATURE)
}

/// Who signed: claim `iss`.
///
/// # Errors
/// A JWT without one.
pub fn issuer(claims: &Value) -> Result<&str> {
    text(claims, "iss").ok_or_else(|| invalid_grant("Invalid JWT: it has no claim 'iss'."))
}

/// Reads what the assertion of an account asks of the token endpoint, `own` being the URL of this emulator.
///
/// # Errors
/// In Google's words: a time that is not now, or longer than an hour; an audience that is not the token
/// endpoint; another subject, because delegation of a whole domain is granted to nobody here; not exactly
/// one of a scope and an audience.
pub fn read(claims: &Value, own: &str, now: Timestamp) -> Result<Wanted> {
    check_time(claims, now)?;
    let endpoint = |audience: &str| {
        let path = audience.strip_prefix(own);
        TOKEN_ENDPOINTS.contains(&audience) || path.is_some_and(|path| TOKEN_PATHS.contains(&path))
    };
    if !text(claims, "aud").is_some_and(endpoint) {
        return Err(invalid_grant(format!(
            "Invalid JWT: Failed audience check. The right audience is {}",
            TOKEN_ENDPOINTS[0]
        )));
    }
    if text(claims, "sub").is_some_and(|subject| text(claims, "iss") != Some(subject)) {
        return Err(refusal(
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized for \
             any of the scopes requested.",
        ));
    }
    let scopes: Vec<String> =
        text(claims, "scope").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    match (text(claims, "target_audience"), scopes.is_empty()) {
        (Some(audience), true) => Ok(Wanted::IdToken(audience.to_owned())),
        (None, false) => Ok(Wanted::AccessToken(scopes)),
        _ => Err(refusal("invalid_scope", "Invalid OAuth scope or ID token audience provided.")),
    }
}

/// Lets an account show its own JWT to an API.
///
/// # Errors
/// A time that is not now; a JWT that neither has a scope nor is for a URL of Google's APIs or of this
/// machine.
pub fn check_bearer(claims: &Value, now: Timestamp) -> Result<()> {
    check_time(claims, now)?;
    let scoped = text(claims, "scope").is_some();
    if scoped || text(claims, "aud").is_some_and(is_an_api) {
        return Ok(());
    }
    Err(invalid_grant("Invalid JWT: Failed audience check. The right audience is a URL of the API."))
}

fn is_an_api(audience: &str) -> bool {
    let host = |rest: &str| {
        let authority = rest.split('/').next().unwrap_or_default().to_owned();
        authority.rsplit_once(':').map_or(authority.clone(), |(host, _)| host.to_owned())
    };
    let local = |rest: &str| ["127.0.0.1", "localhost", "[::1]"].contains(&host(rest).as_str());
    match (audience.strip_prefix("https://"), audience.strip_prefix("http://")) {
        (Some(rest), _) => host(rest).ends_with(".googleapis.com") || local(rest),
        (None, Some(rest)) => local(rest),
        (None, None) => false,
    }
}

fn check_time(claims: &Value, now: Timestamp) -> Result<()> {
    let seconds = |name: &str| {
        let value = claims.get(name)?;
        // Some clients write a moment with a fraction.
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    };
    let now = now.seconds();
    let holds = match (seconds("iat"), seconds("exp")) {
        (Some(issued), Some(ends)) => {
            issued <= now.saturating_add(CLOCK_SKEW_SECONDS)
                && ends > now.saturating_sub(CLOCK_SKEW_SECONDS)
                && ends > issued
                && ends.saturating_sub(issued) <= LONGEST_SECONDS + CLOCK_SKEW_SECONDS
        }
        _ => false,
    };
    if holds {
        return Ok(());
    }
    Err(invalid_grant(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your \
         iat and exp values in the JWT claim.",
    ))
}

fn text<'c>(claims: &'c Value, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_500_000);
    const OWN: &str = "http://127.0.0.1:8786";
    const EMAIL: &str = "a@demo.iam.gserviceaccount.com";

    fn claims(changes: Value) -> Value {
        let now = NOW.seconds();
        let mut claims = json!({
            "iss": EMAIL, "aud": TOKEN_ENDPOINTS[0], "iat": now, "exp": now + 3600, "scope": "openid email",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    /// The error code of RFC 6749 with which the changed assertion is refused.
    fn refused(changes: Value) -> &'static str {
        read(&claims(changes), OWN, NOW).unwrap_err().reason.unwrap().reason
    }

    #[test]
    fn it_asks_for_one_of_two_tokens() {
        let scopes = vec!["openid".to_owned(), "email".to_owned()];
        assert_eq!(read(&claims(json!({})), OWN, NOW).unwrap(), Wanted::AccessToken(scopes));
        let id_token = json!({ "scope": null, "target_audience": "aud1" });
        assert_eq!(read(&claims(id_token), OWN, NOW).unwrap(), Wanted::IdToken("aud1".to_owned()));
        assert_eq!(refused(json!({ "scope": null })), "invalid_scope");
        assert_eq!(refused(json!({ "scope": " " })), "invalid_scope");
        assert_eq!(refused(json!({ "target_audience": "aud1" })), "invalid_scope");
    }

    #[test]
    fn the_subject_is_the_account_itself() {
        read(&claims(json!({ "sub": EMAIL })), OWN, NOW).unwrap();
        assert_eq!(refused(json!({ "sub": "ada@example.test" })), "unauthorized_client");
    }

    #[test]
    fn the_audience_is_the_token_endpoint() {
        let own = format!("{OWN}/token");
        for audience in TOKEN_ENDPOINTS.iter().copied().chain([own.as_str()]) {
            read(&claims(json!({ "aud": audience })), OWN, NOW).unwrap();
        }
        for audience in
            [json!(null), json!("https://run.googleapis.com/"), json!(OWN), json!([TOKEN_ENDPOINTS[0]])]
        {
            assert_eq!(refused(json!({ "aud": audience })), "invalid_grant", "{audience}");
        }
    }

    #[test]
    fn it_lives_an_hour_and_now() {
        let now = NOW.seconds();
        for (iat, exp) in [(now + 300, now + 3900), (now - 3899, now - 299), (now, now + 1)] {
            read(&claims(json!({ "iat": iat, "exp": exp })), OWN, NOW).unwrap();
        }
        // Google's own library for Rust dates its assertions 10 s back.
        read(&claims(json!({ "iat": now - 10, "exp": now + 3600 })), OWN, NOW).unwrap();
        read(&claims(json!({ "iat": now as f64 + 0.5, "exp": now as f64 + 3600.5 })), OWN, NOW).unwrap();
        for (iat, exp) in [
            (json!(now + 301), json!(now + 3600)),
            (json!(now - 3900), json!(now - 300)),
            (json!(now), json!(now + 3901)),
            (json!(now - 200), json!(now + 3701)),
            (json!(now), json!(now)),
            (json!(now + 10), json!(now)),
            (json!(i64::MIN), json!(i64::MAX)),
            (json!(null), json!(now + 3600)),
            (json!(now), json!("soon")),
        ] {
            assert_eq!(refused(json!({ "iat": iat, "exp": exp })), "invalid_grant", "{iat} {exp}");
        }
    }

    #[test]
    fn a_bearer_is_for_an_api_or_has_a_scope() {
        let bearer =
            |aud: Value, scope: Value| check_bearer(&claims(json!({ "aud": aud, "scope": scope })), NOW);
        bearer(json!(null), json!("cloud-platform")).unwrap();
        for audience in ["https://run.googleapis.com/", "https://us-central1-run.googleapis.com", OWN] {
            bearer(json!(audience), json!(null)).unwrap();
        }
        for audience in
            ["https://hello.a.run.app", "http://run.googleapis.com/", "https://googleapis.com.evil.test", ""]
        {
            bearer(json!(audience), json!(null)).unwrap_err();
        }
        check_bearer(&claims(json!({ "exp": NOW.seconds() - 400 })), NOW).unwrap_err();
    }
}
