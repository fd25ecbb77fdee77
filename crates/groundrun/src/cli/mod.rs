//! What did the user ask for, and which exit status tells how it went?

mod ca;
mod clock;
mod env;
mod exec;
mod failure;
mod keys;
mod logging;
mod login;
mod parse;
mod serve;
mod signals;
mod token;
mod workload;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, FromArgMatches as _, Parser, Subcommand};

pub(crate) use self::exec::start_somewhere;
pub use self::failure::Failure;
pub use self::parse::command;
pub use self::serve::{Ended, serve_until_signal};
pub use self::signals::Signals;
pub(crate) use self::token::mint_path;
use crate::config::{ConfigError, ConfigFile, LogLevel, Options, Place};
use crate::{demo, print};

/// Cloud Run on the ground: a local control plane and a routed data plane.
///
/// Without a command groundrun serves. Every option can also be set by a variable and in groundrun.yaml;
/// a flag wins over the variable, and the variable over the file.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "groundrun", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum Command {
    /// Run the emulator until it is told to stop
    Serve(Serve),
    /// Print the variables that lead gcloud, or every program, to the emulator
    Env(env::Env),
    /// Run a command in that environment; starts an emulator if none runs
    Exec(exec::Exec),
    /// Sign a person in, and write the credentials for gcloud and client libraries
    Login(login::Login),
    /// Print where the certificate of the local CA is
    Ca(ca::Ca),
    /// Print an ID token of an account
    Token(token::Token),
    /// List and change the keys that vouch for ID tokens
    Keys(keys::Keys),
    /// See or move the clock of the emulator
    Clock(clock::Clock),
    /// Play the documented flow through real HTTP
    Demo(demo::Demo),
}

/// The options of a command that may start an emulator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
struct Serve {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    file: ConfigFile,
}

/// The options of a command that only needs to know which emulator is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Which {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    file: ConfigFile,
}

impl Serve {
    /// What is set by flag, variable or file; the defaults are not filled in.
    fn layered(self) -> Result<Options, ConfigError> {
        Ok(self.options.or(self.file.read()?))
    }
}

impl Which {
    /// What is set by flag, variable or file; the defaults are not filled in.
    ///
    /// # Errors
    /// If the file is not usable.
    pub fn layered(self) -> Result<Options, ConfigError> {
        Ok(Options::from(self.place).or(self.file.read()?))
    }
}

/// Runs the program with these arguments, the first of which is how the user calls it.
pub async fn run(arguments: Vec<OsString>) -> ExitCode {
    let first = arguments.first().map(|name| name.to_string_lossy().into_owned());
    let program = first.unwrap_or_else(|| "groundrun".to_owned());
    let cli = match command().try_get_matches_from(arguments).and_then(|found| Cli::from_arg_matches(&found))
    {
        Ok(cli) => cli,
        // clap knows to which stream its help and its refusals go.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Failure::USAGE));
        }
    };
    match dispatch(cli, &program).await {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            print::error(&failure);
            ExitCode::from(failure.code)
        }
    }
}

async fn dispatch(cli: Cli, program: &str) -> Result<u8, Failure> {
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(serve) => serve::run(serve.layered()?, program).await,
        Command::Env(env) => env::run(env, program).await,
        Command::Exec(exec) => exec::run(exec, program).await,
        Command::Ca(ca) => ca::run(ca, program).await,
        Command::Login(login) => login::run(login, program).await,
        Command::Token(token) => token::run(token, program).await,
        Command::Keys(keys) => keys::run(keys, program).await,
        Command::Clock(clock) => clock::run(clock, program).await,
        Command::Demo(demo) => {
            logging::start(LogLevel::Error);
            demo::run(demo, program).await
        }
    }
}

#[cfg(test)]
mod tests;
