//! Where is the certificate of the local CA, and how is it trusted?

use std::path::PathBuf;

use clap::Args;

use super::{Failure, Which};
use crate::client::{Call, Client, ClientError};
use crate::config::{Options, Settings};
use crate::environment::{Shell, place_flags, reachable};
use crate::print;
use crate::trust::{Files, PATH};

/// What a user does with the path. groundrun itself changes no trust store.
const TRUST: &str = "\
Nothing is installed. `groundrun env --mode all` lets most programs trust the CA without; to have the whole system
trust it:

  Debian, Ubuntu  sudo cp \"$(groundrun ca)\" /usr/local/share/ca-certificates/groundrun.crt
                  sudo update-ca-certificates
  Fedora          sudo cp \"$(groundrun ca)\" /etc/pki/ca-trust/source/anchors/groundrun.pem
                  sudo update-ca-trust
  macOS           sudo security add-trusted-cert -d -r trustRoot \\
                    -k /Library/Keychains/System.keychain \"$(groundrun ca)\"
  Java            keytool -importcert -cacerts -storepass changeit -noprompt \\
                    -alias groundrun -file \"$(groundrun ca)\"

The CA of an emulator in memory (--ephemeral) ends with it: do not install that one.";

#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(after_help = TRUST)]
pub(super) struct Ca {
    #[command(flatten)]
    which: Which,
    /// Directory that keeps the local CA, if no emulator runs
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    /// The file that also holds the certificates that the system trusts
    #[arg(long)]
    bundle: bool,
    /// The same as a trust store for Java (password changeit)
    #[arg(long, conflicts_with = "bundle")]
    java: bool,
}

/// Prints the path.
pub(super) async fn run(ca: Ca, program: &str) -> Result<u8, Failure> {
    let layered = ca.which.layered()?;
    let settings = Options { data_dir: ca.data_dir.or(layered.data_dir.clone()), ..layered }.resolve()?;
    let files = files(&settings, program).await?;
    let path = match (ca.bundle, ca.java) {
        (true, _) => files.bundle,
        (_, true) => files.java_trust_store,
        _ => files.certificate,
    };
    print::line(path.display());
    Ok(0)
}

/// The files of the emulator that `settings` name, or, if none runs, those of the data directory.
pub(super) async fn files(settings: &Settings, program: &str) -> Result<Files, Failure> {
    let address = reachable(settings.listen);
    let answer = match Client::new(address).send(Call { path: PATH, ..Call::default() }).await {
        Err(ClientError::Refused(_)) => return of_data_dir(settings, program),
        answer => answer?,
    };
    let files = serde_json::from_slice::<Files>(&answer.body).ok().filter(|_| answer.status.is_success());
    let files = files.ok_or_else(|| {
        Failure::new(format_args!(
            "{address} does not name a local CA: {}: {}",
            answer.status,
            answer.message()
        ))
    })?;
    if !files.certificate.exists() {
        let path = files.certificate.display();
        return Err(Failure::new(format_args!(
            "the emulator on {address} keeps its CA in {path}, which is not on this machine"
        ))
        .hint(format!("fetch it: curl -o ca.pem http://{address}/emulator/ca.pem")));
    }
    Ok(files)
}

fn of_data_dir(settings: &Settings, program: &str) -> Result<Files, Failure> {
    let files = Files::of_data_dir(&settings.data_dir);
    let pem = std::fs::read_to_string(&files.certificate).map_err(|_| {
        Failure::new(format_args!(
            "no emulator runs on {}, and '{}' holds no local CA",
            settings.listen,
            settings.data_dir.display()
        ))
        .hint(format!(
            "start one with `{program} serve{}`: the first start makes the CA",
            place_flags(settings, Shell::current())
        ))
    })?;
    files
        .write_derived(&pem, groundrun_engine::Clock::system().now())
        .map_err(|error| Failure::new(format_args!("cannot write {}: {error}", files.bundle.display())))?;
    Ok(files)
}
