//! How does a user list and change the keys that vouch for ID tokens?

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::{Failure, Which};
use crate::client::{Call, Client, ClientError};
use crate::environment::{OWNER_TOKEN, Shell, place_flags, reachable};
use crate::print;

/// Where the running emulator answers for its keys.
const PATH: &str = "/emulator/keys";

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum Action {
    /// List the keys: their ids, what they are there for, and until when
    #[command(after_help = "Example:\n  groundrun keys list")]
    List(List),
    /// Sign ID tokens with a new key; tokens of the one before live until they end
    #[command(after_help = "Example:\n  groundrun keys rotate")]
    Rotate(List),
    /// Take ID tokens that a key of yours signed elsewhere
    #[command(after_help = "Examples:\n  \
        openssl rsa -in fixture.key -pubout -out fixture.pem\n  \
        groundrun keys import --pem fixture.pem --kid fixture-1\n  \
        groundrun keys import --pem certificate.pem --kid fixture-2")]
    Import(Import),
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct List {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Clone, PartialEq, Eq, Args)]
struct Import {
    #[command(flatten)]
    which: Which,
    /// Public key, X.509 certificate or private key (of which only the public half is kept); RSA, 2048 bits or
    /// more
    #[arg(long, value_name = "FILE")]
    pem: PathBuf,
    /// Id by which the tokens name the key in their header
    #[arg(long, value_name = "ID")]
    kid: String,
}

/// Asks the emulator and prints the keys that there are then, one a line.
pub(super) async fn run(keys: Keys, program: &str) -> Result<u8, Failure> {
    let (which, method, path, body) = match keys.action {
        Action::List(List { which }) => (which, Method::GET, PATH.to_owned(), None),
        Action::Rotate(List { which }) => (which, Method::POST, format!("{PATH}:rotate"), None),
        Action::Import(Import { which, pem, kid }) => {
            let text = fs::read_to_string(&pem).map_err(|error| {
                Failure::new(format_args!("cannot read the key {}: {error}", pem.display()))
                    .hint("name a file in PEM form with --pem")
            })?;
            (which, Method::POST, PATH.to_owned(), Some(json!({ "pem": text, "kid": kid })))
        }
    };
    let settings = which.layered()?.resolve()?;
    let call = Call { method, path: &path, token: Some(OWNER_TOKEN), body: body.as_ref(), ..Call::default() };
    let answer = Client::new(reachable(settings.listen)).send(call).await.map_err(|error| match error {
        ClientError::Refused(_) => Failure::new(format_args!("no emulator runs: {error}"))
            .hint(format!("start one with `{program} serve{}`", place_flags(&settings, Shell::current()))),
        other => other.into(),
    })?;
    if !answer.status.is_success() {
        return Err(Failure::new(format_args!("{}: {}", answer.status, answer.message())));
    }
    let json = answer.json();
    for key in json.get("keys").and_then(Value::as_array).into_iter().flatten() {
        print::line(line(key));
    }
    Ok(0)
}

fn line(key: &Value) -> String {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let until = text("until").map(|until| format!(" until {until}")).unwrap_or_default();
    format!("{}  {}{until}", text("kid").unwrap_or_default(), text("state").unwrap_or_default())
}
