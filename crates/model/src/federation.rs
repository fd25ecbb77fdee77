//! Whom does another identity provider vouch for, and how is that identity called here?
//!
//! <https://cloud.google.com/iam/docs/workload-identity-federation>

use serde_json::Value;

use crate::account::Account;
use crate::error::{Code, Error, Result};
use crate::time::Timestamp;

/// A provider of a pool of identities, as the audience of an exchange names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The resource name of the pool, without `//`.
    pool: String,
}

impl Provider {
    /// Reads `//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/ID`,
    /// or the same of a workforce pool, which is in no project.
    ///
    /// # Errors
    /// 400 in the words of the Security Token Service.
    pub fn parse(audience: &str) -> Result<Self> {
        let words = "Invalid value for \"audience\". This value should be the full resource name of the \
                     Identity Provider. See \
                     https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list \
                     of possible formats.";
        let parts: Vec<&str> = audience.trim_start_matches("https:").split('/').collect();
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let good = match parts.as_slice() {
            [
                "",
                "",
                HOST,
                "projects",
                number,
                "locations",
                "global",
                "workloadIdentityPools",
                pool,
                "providers",
                id,
            ] => digits(number) && is_id(pool) && is_id(id),
            ["", "", HOST, "locations", "global", "workforcePools", pool, "providers", id] => {
                is_id(pool) && is_id(id)
            }
            _ => false,
        };
        if !good {
            return Err(Error::in_words(words));
        }
        Ok(Self { pool: parts[2..parts.len() - 2].join("/") })
    }

    /// The identity that the provider calls `subject`.
    ///
    /// # Errors
    /// 400 if there can be none of this name.
    pub fn identity(&self, subject: &str) -> Result<Account> {
        // As documented, `google.subject` has at most 127 bytes.
        if subject.is_empty() || subject.len() > 127 || subject.chars().any(char::is_control) {
            return Err(Error::in_words(
                "The mapped attribute 'google.subject' must have 1 to 127 bytes and no control characters.",
            ));
        }
        Ok(Account::federated(&self.pool, subject))
    }
}

/// The algorithms with which a provider may sign, as documented.
const ALGORITHMS: [&str; 2] = ["RS256", "ES256"];

/// How far the clock of a provider may be ahead, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 300;

/// Who a subject token is about: claim `sub`. `header` and `claims` are those of the token; whether its
/// signature counts is decided elsewhere.
///
/// # Errors
/// 401 for a token that is not signed with an algorithm of a provider (`none` is none), that does not say when
/// it ends, has ended or does not count yet, or that names nobody.
pub fn subject<'c>(header: &Value, claims: &'c Value, now: Timestamp) -> Result<&'c str> {
    let refuse = |why: String| Error::new(Code::Unauthenticated, format!("Invalid subject token: {why}."));
    if !header.get("alg").and_then(Value::as_str).is_some_and(|alg| ALGORITHMS.contains(&alg)) {
        return Err(refuse(format!("its algorithm must be one of {}", ALGORITHMS.join(", "))));
    }
    let seconds = |claim: &str| claims.get(claim).and_then(Value::as_i64);
    let Some(exp) = seconds("exp") else {
        return Err(refuse("it has no 'exp' in whole seconds".to_owned()));
    };
    if exp <= now.seconds() {
        let issued = seconds("iat").unwrap_or_default();
        let message = format!("ID Token issued at {issued} is stale to sign-in.");
        return Err(Error::new(Code::Unauthenticated, message));
    }
    let latest = now.seconds().saturating_add(CLOCK_SKEW_SECONDS);
    if let Some(early) = ["iat", "nbf"].into_iter().find(|claim| seconds(claim).is_some_and(|at| at > latest))
    {
        return Err(refuse(format!("its '{early}' is in the future")));
    }
    claims.get("sub").and_then(Value::as_str).ok_or_else(|| refuse("it has no 'sub'".to_owned()))
}

/// The service that pools belong to.
const HOST: &str = "iam.googleapis.com";

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: &str = "iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci";

    #[test]
    fn a_provider_names_its_pool_and_a_subject_becomes_a_principal() {
        let provider = Provider::parse(&format!("//{POOL}/providers/github")).unwrap();
        let who = provider.identity("repo:acme/app:ref:refs/heads/Main").unwrap();
        assert_eq!(who.email, format!("principal://{POOL}/subject/repo:acme/app:ref:refs/heads/Main"));
        let workforce = "//iam.googleapis.com/locations/global/workforcePools/staff/providers/okta";
        let who = Provider::parse(workforce).unwrap().identity("ada").unwrap();
        assert_eq!(
            who.email,
            "principal://iam.googleapis.com/locations/global/workforcePools/staff/subject/ada"
        );
    }

    #[test]
    fn a_subject_token_is_signed_and_of_now() {
        let claims = |changes: Value| {
            let mut claims = serde_json::json!({ "sub": "a", "iat": 1_000, "exp": 2_000 });
            claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            claims
        };
        let ask = |alg: &str, changes: Value| {
            let header = serde_json::json!({ "alg": alg });
            let said = claims(changes);
            subject(&header, &said, Timestamp::from_seconds(1_500)).map(str::to_owned)
        };
        for alg in ALGORITHMS {
            assert_eq!(ask(alg, serde_json::json!({ "nbf": 1_800 })).unwrap(), "a");
        }
        for alg in ["none", "None", "HS256", "RS512", ""] {
            assert!(ask(alg, serde_json::json!({})).is_err(), "{alg}");
        }
        for changes in [
            serde_json::json!({ "exp": null }),
            serde_json::json!({ "exp": "2000" }),
            serde_json::json!({ "exp": 1_500 }),
            serde_json::json!({ "iat": 1_801 }),
            serde_json::json!({ "nbf": 1_801 }),
            serde_json::json!({ "sub": 1 }),
        ] {
            assert!(ask("RS256", changes.clone()).is_err(), "{changes}");
        }
    }

    #[test]
    fn what_names_no_provider_is_refused() {
        for audience in [
            "",
            "https://api.example.com",
            POOL,
            "//iam.googleapis.com/projects/demo/locations/global/workloadIdentityPools/ci/providers/x",
            "//iam.googleapis.com/projects/1/locations/us/workloadIdentityPools/ci/providers/x",
            "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/c*/providers/x",
            "//iam.example.com/projects/1/locations/global/workloadIdentityPools/ci/providers/x",
        ] {
            let refused = Provider::parse(audience).unwrap_err();
            assert!(refused.message.starts_with("Invalid value for \"audience\"."), "{audience}");
        }
        let provider = Provider::parse(&format!("//{POOL}/providers/github")).unwrap();
        for subject in ["", "a\nb", &"x".repeat(128)] {
            assert!(provider.identity(subject).is_err(), "{subject}");
        }
    }
}
