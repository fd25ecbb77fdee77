//! What does `groundrun env` print?

use clap::Args;

use super::{Failure, Which};
use crate::environment::{Shell, script};
use crate::print;

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct Env {
    #[command(flatten)]
    which: Which,
    /// Shell to speak [default: that of $SHELL]
    #[arg(long, value_enum)]
    shell: Option<Shell>,
    /// Unset the variables instead
    #[arg(long)]
    unset: bool,
}

/// Prints the variables. No emulator needs to run.
pub(super) fn run(env: Env, program: &str) -> Result<u8, Failure> {
    let settings = env.which.layered()?.resolve()?;
    if settings.listen.port() == 0 {
        return Err(Failure::new("port 0 means any free port: name the port of the emulator with --listen")
            .code(Failure::USAGE));
    }
    print::line(script(&settings, env.shell.unwrap_or_else(Shell::current), env.unset, program));
    Ok(0)
}
