//! Who calls the service, with which token, and what is the answer?

use http::uri::Authority;
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};

use super::stage::{Stage, service_account};
use crate::cli::{Failure, mint_path};
use crate::client::Call;
use crate::environment::OWNER_TOKEN;

/// The header in which `--explain` says why a caller was turned away.
const EXPLAIN: &str = "x-groundrun-explain";

const AUDIENCE: &str = "aud1";

/// A token, and the shell variable that holds it in the commands shown.
struct Token {
    variable: &'static str,
    value: String,
}

/// Mints a token for the caller that was granted access.
pub(super) async fn mint(stage: &Stage<'_>) -> Result<String, Failure> {
    stage.step(5, "Mint an ID token for the audience", &[]);
    let token = token(stage, "TOKEN", "caller", AUDIENCE).await?;
    let shown: String = token.value.chars().take(24).collect();
    stage.tell(&format!("TOKEN={shown}…"));
    Ok(token.value)
}

/// The right caller, then the three that are turned away.
pub(super) async fn try_callers(stage: &Stage<'_>, url: &str, right: &str) -> Result<(), Failure> {
    stage.step(6, "Call the service", &[]);
    let right = Token { variable: "TOKEN", value: right.to_owned() };
    call(stage, url, "the right audience", Some(&right), StatusCode::OK).await?;
    let wrong = token(stage, "WRONG", "caller", "https://other.example.test").await?;
    call(stage, url, "the wrong audience", Some(&wrong), StatusCode::UNAUTHORIZED).await?;
    call(stage, url, "no token", None, StatusCode::FORBIDDEN).await?;
    let strange = token(stage, "STRANGE", "stranger", AUDIENCE).await?;
    call(stage, url, "not an invoker", Some(&strange), StatusCode::FORBIDDEN).await
}

/// The call that was let in, after the audience is gone.
pub(super) async fn call_again(stage: &Stage<'_>, url: &str, token: &str) -> Result<(), Failure> {
    let token = Token { variable: "TOKEN", value: token.to_owned() };
    call(stage, url, "the same call again", Some(&token), StatusCode::UNAUTHORIZED).await
}

/// A token without the address of its account, as gcloud asks for it.
async fn token(
    stage: &Stage<'_>,
    variable: &'static str,
    account: &str,
    audience: &str,
) -> Result<Token, Failure> {
    let account = service_account(stage.settings, account);
    stage.command(&format!(
        "{variable}=$(gcloud auth print-identity-token --impersonate-service-account {account} \
         --audiences='{audience}')"
    ));
    let path = mint_path(&account);
    let what = format!("POST {path}");
    let body = json!({ "audience": audience, "includeEmail": false });
    let call = Call {
        method: Method::POST,
        path: &path,
        token: Some(OWNER_TOKEN),
        body: Some(&body),
        ..Call::default()
    };
    let answer = stage.expect(&what, call, StatusCode::OK).await?.json();
    match answer.get("token").and_then(Value::as_str) {
        Some(value) => Ok(Token { variable, value: value.to_owned() }),
        None => Err(Failure::new(format_args!("{what} answered no token"))),
    }
}

/// Calls the service at its reported URL, through the emulator's own address: the Host header decides.
async fn call(
    stage: &Stage<'_>,
    url: &str,
    who: &str,
    token: Option<&Token>,
    expected: StatusCode,
) -> Result<(), Failure> {
    let credential = token.map(|token| format!("-H \"Authorization: Bearer ${{{}}}\" ", token.variable));
    stage.command(&format!("curl {}{url}    # {who}", credential.unwrap_or_default()));
    let uri: Uri = url.parse().map_err(|error| Failure::new(format_args!("status.url {url}: {error}")))?;
    let host = uri.authority().map(Authority::as_str);
    let token = token.map(|token| token.value.as_str());
    let call = Call { host, path: uri.path(), token, ..Call::default() };
    let answer = stage.expect(&format!("GET {}", uri.path()), call, expected).await?;
    if expected.is_success() {
        let echo = answer.json();
        stage.tell(&format!("answered by {}, called by {}", echo["revision"], echo["caller"]));
        return Ok(());
    }
    let reason = answer.header(EXPLAIN);
    let reason = reason.ok_or_else(|| Failure::new(format_args!("a denial without {EXPLAIN}")))?;
    stage.tell(reason);
    Ok(())
}
