//! What does `groundrun env` print?

use std::path::PathBuf;

use clap::Args;

use super::{Failure, Which, ca};
use crate::config::{Options, Settings};
use crate::environment::{Mode, Shell, all, place_flags, script, script_of};
use crate::print;
use crate::trust::Files;

#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub(super) struct Env {
    #[command(flatten)]
    which: Which,
    /// Directory that keeps the local CA, if no emulator runs
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    led: Led,
    /// Shell to speak [default: that of $SHELL]
    #[arg(long, value_enum)]
    shell: Option<Shell>,
    /// Unset the variables instead
    #[arg(long)]
    unset: bool,
}

/// Who is led to the emulator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(super) struct Led {
    /// Who is led to the emulator
    #[arg(long, value_enum, default_value_t)]
    pub(super) mode: Mode,
    /// File that Google's libraries take their credentials from; needs --mode all
    #[arg(long, value_name = "FILE")]
    pub(super) credentials: Option<PathBuf>,
}

impl Led {
    /// The file of the credentials, with a path that holds in every directory.
    pub(super) fn credentials(&self) -> Result<Option<PathBuf>, Failure> {
        let Some(path) = &self.credentials else { return Ok(None) };
        if self.mode != Mode::All {
            return Err(Failure::new("--credentials needs --mode all").code(Failure::USAGE));
        }
        std::path::absolute(path).map(Some).map_err(|error| {
            Failure::new(format_args!("--credentials {}: {error}", path.display())).code(Failure::USAGE)
        })
    }
}

/// Prints the variables. Those for gcloud need no emulator to run.
pub(super) async fn run(env: Env, program: &str) -> Result<u8, Failure> {
    let layered = env.which.layered()?;
    let settings = Options { data_dir: env.data_dir.or(layered.data_dir.clone()), ..layered }.resolve()?;
    if settings.listen.port() == 0 {
        return Err(Failure::new("port 0 means any free port: name the port of the emulator with --listen")
            .code(Failure::USAGE));
    }
    let shell = env.shell.unwrap_or_else(Shell::current);
    let credentials = env.led.credentials()?;
    if env.led.mode == Mode::Gcloud {
        print::line(script(&settings, shell, env.unset, program));
        return Ok(0);
    }
    // What is unset has names only: no emulator needs to be there any more.
    let files = if env.unset {
        Files::of_data_dir(&settings.data_dir)
    } else {
        ca::files(&settings, program).await?
    };
    let variables = all(&settings, &files, credentials.as_deref());
    print::line(script_of(variables, &flags(&settings, credentials, shell), shell, env.unset, program));
    Ok(0)
}

fn flags(settings: &Settings, credentials: Option<PathBuf>, shell: Shell) -> String {
    let usual = Settings::default();
    let mut flags = format!("{} --mode all", place_flags(settings, shell));
    if settings.data_dir != usual.data_dir {
        flags += &format!(" --data-dir {}", shell.quote(&settings.data_dir.display().to_string()));
    }
    if let Some(credentials) = credentials {
        flags += &format!(" --credentials {}", shell.quote(&credentials.display().to_string()));
    }
    flags
}
