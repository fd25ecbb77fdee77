//! Who is compared, and how is each started?
//!
//! All stand in front of the same backends and let the same callers in ([`Site`]), each as its own
//! documentation says; `benches/peers` has their configurations.

mod parity;
mod site;
mod template;

use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use site::{Admitted, CALLER, Site};

use crate::process::{Process, free_address};
use crate::{Outcome, pin, report};

/// A kind of server that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Groundrun,
    /// haproxy, which verifies each token each time.
    Haproxy,
    /// haproxy, which remembers verified tokens in a stick-table.
    HaproxyTable,
    /// nginx with a check in Lua and a shared dictionary of verified tokens.
    Nginx,
    /// Envoy with the JWT filter and its cache.
    Envoy,
    Caddy,
    /// A byte relay.
    Relay,
    /// Nobody: the load goes straight to the backend.
    Direct,
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Groundrun => "groundrun",
            Self::Haproxy => "haproxy, jwt_verify",
            Self::HaproxyTable => "haproxy, jwt_verify and a table",
            Self::Nginx => "nginx, Lua check and cache",
            Self::Envoy => "Envoy, JWT cache",
            Self::Caddy => "Caddy",
            Self::Relay if program("haproxy").is_some() => "byte relay (haproxy, TCP)",
            Self::Relay => "byte relay (our own: no haproxy)",
            Self::Direct => "backend, without a proxy",
        })
    }
}

/// A server that can be measured.
#[derive(Debug)]
pub(crate) struct Contestant {
    pub(crate) kind: Kind,
    /// Where it takes HTTP/1.1.
    pub(crate) address: SocketAddr,
    /// Where it takes gRPC.
    pub(crate) grpc: SocketAddr,
    process: Option<Process>,
}

impl Contestant {
    /// Its process; the backend's own is none of its business.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::id)
    }

    /// groundrun, which a site has started.
    pub(crate) fn groundrun(process: Process) -> Self {
        Self {
            kind: Kind::Groundrun,
            address: process.address,
            grpc: process.address,
            process: Some(process),
        }
    }
}

/// A server that cannot be measured, and why.
#[derive(Debug, Clone)]
pub(crate) struct Absent {
    pub(crate) kind: Kind,
    pub(crate) why: String,
}

/// Starts these servers in front of a site and checks that each does what groundrun does. Who is not
/// installed, or does something else, is left out and named.
///
/// # Errors
/// The machine does not let a file be written or a program be started.
pub(crate) fn line_up(site: &Site, kinds: &[Kind]) -> Outcome<(Vec<Contestant>, Vec<Absent>)> {
    let (mut present, mut absent) = (Vec::new(), Vec::new());
    for kind in kinds {
        let checked = start(*kind, site).and_then(|found| match found {
            Some(contestant) => parity::check(&contestant, site).map(|()| Some(contestant)),
            None => Ok(None),
        });
        let why = match checked {
            Ok(Some(contestant)) => {
                present.push(contestant);
                continue;
            }
            Ok(None) => "not installed".to_owned(),
            Err(problem) => format!("left out: {problem}"),
        };
        report::note(format_args!("{kind}: {why}"));
        // A message of many lines would break a table.
        absent.push(Absent { kind: *kind, why: why.lines().next().unwrap_or_default().to_owned() });
    }
    Ok((present, absent))
}

/// Lets each contestant show that it can do what will be measured. Who cannot, groundrun as well, is moved to
/// the absent, with what it said.
pub(crate) fn try_out(
    contestants: Vec<Contestant>,
    absent: &mut Vec<Absent>,
    does: impl Fn(&Contestant) -> Outcome<()>,
) -> Vec<Contestant> {
    let mut able = Vec::new();
    for contestant in contestants {
        match does(&contestant) {
            Ok(()) => able.push(contestant),
            Err(problem) => {
                let kind = contestant.kind;
                report::note(format_args!("{kind}: does not do it: {problem}"));
                let why = problem.to_string().lines().next().unwrap_or_default().to_owned();
                absent.push(Absent { kind, why: format!("does not do it: {why}") });
            }
        }
    }
    able
}

/// Starts a peer; `None` if it is not installed.
fn start(kind: Kind, site: &Site) -> Outcome<Option<Contestant>> {
    let directory = site.directory(&format!("{kind:?}"))?;
    let (listen, grpc) = (free_address()?, free_address()?);
    let config = |template: &str| template::fill(template, &site.words(kind, &directory, listen, grpc)?);
    let command = match kind {
        Kind::Groundrun => return Err("started with its site".into()),
        Kind::Direct => {
            let (address, grpc) = (site.blue.address, site.grpc.address);
            return Ok(Some(Contestant { kind, address, grpc, process: None }));
        }
        Kind::Haproxy | Kind::HaproxyTable => {
            let Some(program) = program("haproxy") else { return Ok(None) };
            let rule = if kind == Kind::Haproxy {
                include_str!("../../peers/haproxy-verify.txt")
            } else {
                include_str!("../../peers/haproxy-table.txt")
            };
            let whole = include_str!("../../peers/haproxy.cfg").replace("@VERIFY@", rule.trim_end());
            with_config(&program, &["-db", "-f"], &directory.join("haproxy.cfg"), &config(&whole)?)?
        }
        Kind::Relay => {
            let Some(program) = program("haproxy") else {
                let to = site.blue.address.to_string();
                let process = Process::pinned_peer("relay", &directory, Some(to.as_ref()))?.listening()?;
                return Ok(Some(Contestant { kind, address: process.address, grpc, process: Some(process) }));
            };
            let text = config(include_str!("../../peers/haproxy-l4.cfg"))?;
            with_config(&program, &["-db", "-f"], &directory.join("haproxy.cfg"), &text)?
        }
        Kind::Nginx => {
            let Some(program) = program("nginx") else { return Ok(None) };
            std::fs::write(directory.join("check.lua"), include_str!("../../peers/check.lua"))?;
            let text = config(include_str!("../../peers/nginx.conf"))?;
            with_config(&program, &["-e", "stderr", "-c"], &directory.join("nginx.conf"), &text)?
        }
        Kind::Envoy => {
            let Some(program) = site.envoy.clone().or_else(|| program("envoy")) else { return Ok(None) };
            let arguments = ["--concurrency", "1", "--disable-hot-restart", "-l", "error", "-c"];
            let text = config(include_str!("../../peers/envoy.yaml"))?;
            with_config(&program, &arguments, &directory.join("envoy.yaml"), &text)?
        }
        Kind::Caddy => {
            let Some(program) = program("caddy") else { return Ok(None) };
            let text = config(include_str!("../../peers/Caddyfile"))?;
            let arguments = ["run", "--adapter", "caddyfile", "--config"];
            let mut command = with_config(&program, &arguments, &directory.join("Caddyfile"), &text)?;
            command.env("HOME", &directory).env("GOMAXPROCS", "1");
            command
        }
    };
    let process = Process::start(command, &directory, listen)?.listening()?;
    // Envoy tells the protocols apart on one port.
    let grpc = if kind == Kind::Envoy { listen } else { grpc };
    Ok(Some(Contestant { kind, address: listen, grpc, process: Some(process) }))
}

/// A program on its core, with arguments of which the last names the configuration, which is written.
fn with_config(program: &Path, arguments: &[&str], file: &Path, text: &str) -> Outcome<Command> {
    std::fs::write(file, text)?;
    let mut command = pin::on_its_core(program);
    command.args(arguments).arg(file);
    Ok(command)
}

/// Where a program of this name is; servers are also where only root has them on its PATH.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    directories.map(|directory| directory.join(name)).find(|file| file.is_file())
}
