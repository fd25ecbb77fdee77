//! How is the real gcloud run against an emulator of the test's own?

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;

use groundrun::config::Settings;
use groundrun::environment;
use groundrun::server::{ServeOptions, Server, World, start_in};
use groundrun_identity::Keys;
use tempfile::TempDir;
use tokio::process::Command;

/// The keys of the tests: making one takes longer than a test.
const ID_TOKEN_KEY: &str = include_str!("../../crates/identity/fixtures/test-id-token-key.pem");
const SERVICE_ACCOUNT_KEY: &str = include_str!("../../crates/identity/fixtures/test-service-account-key.pem");

/// The variable that makes gcloud the developer, whoever has signed in.
const ACCESS_TOKEN: &str = "CLOUDSDK_AUTH_ACCESS_TOKEN";

/// An emulator, and gcloud pointed at it by nothing but what `groundrun env` prints.
pub(crate) struct Gcloud {
    server: Server,
    settings: Settings,
    home: TempDir,
}

/// Who gcloud is.
pub(crate) struct Account<'g> {
    gcloud: &'g Gcloud,
    set: Vec<(&'static str, String)>,
    unset: &'static [&'static str],
}

/// What a command of gcloud did.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whether it ended with status 0.
    pub(crate) ok: bool,
    /// What it printed as its result.
    pub(crate) out: String,
    /// What it told on the way, without colours.
    pub(crate) told: String,
}

impl Gcloud {
    /// Starts an emulator; `None` if there is no gcloud on the PATH, which only CI may not tolerate.
    pub(crate) async fn start() -> Option<Self> {
        Self::with(|_| ()).await
    }

    /// The same, with options that `change` changes.
    #[expect(clippy::print_stdout, reason = "whoever runs the tests must read what was skipped")]
    pub(crate) async fn with(change: impl FnOnce(&mut ServeOptions)) -> Option<Self> {
        let found =
            Command::new("gcloud").arg("--version").output().await.is_ok_and(|out| out.status.success());
        if !found {
            assert!(std::env::var_os("CI").is_none(), "gcloud is not on the PATH, and CI requires it");
            println!("skipped: gcloud is not on the PATH");
            return None;
        }
        let project = "demo-project".to_owned();
        let region = "us-central1".to_owned();
        let mut options = ServeOptions {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: None,
            project: project.clone(),
            region: region.clone(),
            revision_policy: Default::default(),
            url_style: groundrun_model::url::UrlStyle::Local,
            https_redirect: false,
            explain: true,
            strict_identity: false,
            strict_etags: false,
            enforce_api_iam: false,
            metadata_account: None,
            iam_propagation_seconds: 0,
            identities: groundrun_model::iam::Identities::default(),
            rules: groundrun_model::rule::Rules::default(),
            balancers: groundrun_model::routing::Balancers::default(),
            internal_listen: None,
        };
        change(&mut options);
        let keys = Keys::from_pems(ID_TOKEN_KEY, SERVICE_ACCOUNT_KEY).expect("the test keys are whole");
        let server = start_in(options, World { keys: Some(keys), ..World::default() })
            .await
            .expect("the emulator starts");
        let settings = Settings { listen: server.address(), project, region, ..Settings::default() };
        Some(Self { server, settings, home: TempDir::new().expect("a directory for gcloud") })
    }

    /// gcloud as the developer, as the environment has it.
    fn owner(&self) -> Account<'_> {
        Account { gcloud: self, set: Vec::new(), unset: &[] }
    }

    /// gcloud as whoever has signed in to it.
    pub(crate) fn signed_in(&self) -> Account<'_> {
        Account { gcloud: self, set: Vec::new(), unset: &[ACCESS_TOKEN] }
    }

    /// gcloud as the person of this file of credentials.
    pub(crate) fn person(&self, file: &Path) -> Account<'_> {
        let set = vec![("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", file.display().to_string())];
        Account { gcloud: self, set, unset: &[ACCESS_TOKEN] }
    }

    /// gcloud on a machine of Google's, as which the metadata server makes it believe to be.
    pub(crate) fn workload(&self) -> Account<'_> {
        let place = self.address().to_string();
        let set = ["GCE_METADATA_ROOT", "GCE_METADATA_HOST", "GCE_METADATA_IP"];
        let set = set.into_iter().map(|name| (name, place.clone())).collect();
        Account { gcloud: self, set, unset: &[ACCESS_TOKEN, "CLOUDSDK_CORE_CHECK_GCE_METADATA"] }
    }

    /// Runs `gcloud` with the words of `command`; quoted parts are not needed by any test.
    pub(crate) async fn run(&self, command: &str) -> Outcome {
        self.owner().run(&words(command)).await
    }

    /// Runs `gcloud` with these arguments.
    pub(crate) async fn run_words(&self, words: &[&str]) -> Outcome {
        self.owner().run(words).await
    }

    async fn run_as(&self, words: &[&str], account: &Account<'_>) -> Outcome {
        let variables = environment::gcloud(&self.settings);
        let variables = variables.into_iter().filter(|variable| !account.unset.contains(&&*variable.name));
        let output = Command::new("gcloud")
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("CLOUDSDK_CONFIG", self.home.path().join("gcloud"))
            .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
            .envs(variables.map(|variable| (variable.name, variable.value)))
            .envs(account.set.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true)
            .output()
            .await
            .expect("gcloud runs");
        Outcome::of(&output)
    }

    /// Runs a command that must succeed; returns what it printed as its result.
    pub(crate) async fn ok(&self, command: &str) -> String {
        self.owner().ok(command).await
    }

    /// Runs a command that must fail; returns what it told.
    pub(crate) async fn refused(&self, command: &str) -> String {
        self.owner().refused(command).await
    }

    /// The names of the service's revisions, newest first.
    pub(crate) async fn revisions(&self, service: &str) -> Vec<String> {
        let names =
            self.ok(&format!("run revisions list --service={service} --format=value(metadata.name)")).await;
        names.lines().map(str::to_owned).collect()
    }

    /// Where the emulator listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// A file in the directory of this gcloud.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Stops the emulator.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

impl Account<'_> {
    async fn run(&self, words: &[&str]) -> Outcome {
        self.gcloud.run_as(words, self).await
    }

    /// Runs a command that must succeed; returns what it printed as its result.
    pub(crate) async fn ok(&self, command: &str) -> String {
        let outcome = self.run(&words(command)).await;
        assert!(outcome.ok, "gcloud {command}\n{}", outcome.told);
        outcome.out.trim_end().to_owned()
    }

    /// Runs a command that must fail; returns what it told.
    pub(crate) async fn refused(&self, command: &str) -> String {
        let outcome = self.run(&words(command)).await;
        assert!(!outcome.ok, "gcloud {command} succeeded\n{}", outcome.out);
        outcome.told
    }
}

fn words(command: &str) -> Vec<&str> {
    command.split_whitespace().collect()
}

impl Outcome {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            ok: output.status.success(),
            out: text(&output.stdout),
            told: without_colours(&text(&output.stderr)),
        }
    }
}

/// gcloud writes bold even into a pipe.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or(part, |(_, rest)| rest))
}
