//! Does google-cloud-auth get, verify and use tokens with nothing but the environment of `groundrun exec`?
//!
//! The steps, their words and their order are those of ../../python/identity.py.

use std::fs;

use google_cloud_auth::credentials::idtoken::{self, IDTokenCredentials, verifier};
use google_cloud_auth::credentials::mds;
use serde_json::Value;

use crate::step;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Two private services, of which one lets the accounts of this case in, and the files of credentials that
/// they have.
struct Case(Value);

impl Case {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("the case has no {name}"))
    }

    fn file(&self, name: &str) -> Value {
        read(self.text(name))
    }
}

fn read(file: &str) -> Value {
    let text = fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_slice(&text).expect("JSON")
}

async fn call(token: Option<&str>, url: &str) -> u16 {
    let request = reqwest::Client::new().get(url);
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    request.send().await.expect("an answer").status().as_u16()
}

/// What both services answer to a token for each.
async fn calls(case: &Case, mint: impl Fn(&str) -> IDTokenCredentials) -> Value {
    let mut seen = Vec::new();
    for url in [case.text("bound"), case.text("unbound")] {
        let token = mint(url).id_token().await.expect("a token");
        seen.push(call(Some(&token), url).await);
    }
    seen.into()
}

fn of_metadata(audience: &str) -> IDTokenCredentials {
    idtoken::mds::Builder::new(audience).build().expect("credentials of the metadata server")
}

fn of_key(audience: &str, key: Value) -> IDTokenCredentials {
    idtoken::service_account::Builder::new(audience, key).build().expect("credentials of a key")
}

pub(crate) async fn identity(case: &str) {
    let case = &Case(read(case));
    let (bound, unbound) = (case.text("bound"), case.text("unbound"));
    step("no token", call(None, bound).await.into());
    let source = mds::Builder::default().with_scopes([SCOPE]);
    let signer = mds::Builder::default().build_signer().expect("a signer");
    step("the account of the workload", signer.client_email().await.expect("its address").into());
    let access = source.build_access_token_credentials().expect("credentials").access_token().await;
    let access = access.expect("an access token").token;
    step("an access token in the place of an ID token", call(Some(&access), bound).await.into());
    step("a token of the metadata server", calls(case, of_metadata).await);
    let foreign = of_metadata("https://else.example").id_token().await.expect("a token");
    step("a token for somebody else", call(Some(&foreign), bound).await.into());
    verified(bound, unbound).await;
    let key = case.file("keyFile");
    step("a token of a key file", calls(case, |audience| of_key(audience, key.clone())).await);
    let deleted = of_key(bound, case.file("deletedKeyFile")).id_token().await;
    deleted.expect_err("the key was deleted");
    step("a key that was deleted", "refused".into());
    let impersonated = |audience: &str| {
        let source = mds::Builder::default().with_scopes([SCOPE]).build().expect("credentials");
        idtoken::impersonated::Builder::from_source_credentials(audience, case.text("invoker"), source)
            .with_include_email()
            .build()
            .expect("credentials by impersonation")
    };
    step("a token by impersonation", calls(case, impersonated).await);
    let user = case.file("userFile");
    let of_user = |_: &str| idtoken::user_account::Builder::new(user.clone()).build().expect("a user");
    step("a token of a user", calls(case, of_user).await);
}

async fn verified(bound: &str, unbound: &str) {
    let token = of_metadata(bound).id_token().await.expect("a token");
    let claims = verifier::Builder::new([bound]).build().verify(&token).await.expect("a good token");
    let audience_is_right = claims["aud"] == bound;
    let says = [audience_is_right.into(), claims["email"].clone(), claims["iss"].clone()];
    step("what the verified token says", says.to_vec().into());
    let other = verifier::Builder::new([unbound]).build().verify(&token).await;
    other.expect_err("it is for another service");
    step("verified for somebody else", "refused".into());
}
