//! How does the documented flow of custom audiences look, played against a real server?
//!
//! It is a test too: the first answer that is not the documented one ends it with status 1.

mod calls;
mod changes;
mod revisions;
mod stage;

use clap::Args;
use groundrun_model::service::plan::RevisionPolicy;

use self::stage::Stage;
use crate::cli::{Failure, Signals, Which, serve_until_signal, start_somewhere};
use crate::config::Settings;
use crate::environment::{Mode, Shell, place_flags, reachable, set_command};
use crate::print;

/// The options of the demonstration.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Demo {
    #[command(flatten)]
    which: Which,
    /// Stop after the flow instead of serving until Ctrl-C
    #[arg(long)]
    once: bool,
}

/// Starts a server in memory, plays the flow, and leaves the server up unless told otherwise.
///
/// # Errors
/// If the server does not start, or a step is answered other than documented.
pub async fn run(demo: Demo, program: &str) -> Result<u8, Failure> {
    let mut signals = Signals::listen()?;
    let options = demo.which.layered()?;
    let insist = options.listen.is_some();
    let settings = Settings {
        ephemeral: true,
        explain: true,
        // The story calls by http, and with accounts that nobody created.
        https_redirect: false,
        strict_identity: false,
        strict_etags: false,
        ..options.resolve()?
    };
    let server = start_somewhere(&settings, insist).await?;
    let moved =
        if insist || server.address() == settings.listen { "" } else { ", since its usual port is taken" };
    let settings = Settings { listen: server.address(), ..settings };
    print::line(format_args!("groundrun listens on {}{moved}; its store is in memory.", settings.listen));
    let stage = Stage::new(&settings);
    let played = tokio::select! {
        played = play(&stage) => played.map(|()| true),
        _ = signals.next() => Ok(false),
    };
    match played {
        Ok(true) if !demo.once => {
            print::line(farewell(&settings, program));
            Ok(serve_until_signal(server, signals).await.code())
        }
        ended => {
            server.stop().await;
            ended.map(|to_the_end| if to_the_end { 0 } else { 130 })
        }
    }
}

/// The page "Custom audiences", then what it promises.
async fn play(stage: &Stage<'_>) -> Result<(), Failure> {
    // Service-level changes cut a revision under one policy and none under the other.
    let cut = |revisions| match stage.settings.revision_policy {
        RevisionPolicy::EveryChange => revisions,
        RevisionPolicy::Template => 1,
    };
    let url = changes::deploy(stage).await?;
    revisions::show(stage, cut(1)).await?;
    changes::add_audience(stage).await?;
    revisions::show(stage, cut(2)).await?;
    changes::replace(stage).await?;
    revisions::show(stage, cut(3)).await?;
    changes::grant(stage).await?;
    revisions::show(stage, cut(3)).await?;
    let token = calls::mint(stage).await?;
    revisions::show(stage, cut(3)).await?;
    calls::try_callers(stage, &url, &token).await?;
    revisions::show(stage, cut(3)).await?;
    changes::clear_audiences(stage).await?;
    calls::call_again(stage, &url, &token).await?;
    revisions::show(stage, cut(4)).await?;
    let title = match stage.settings.revision_policy {
        RevisionPolicy::EveryChange => "Every change of the configuration left a revision",
        RevisionPolicy::Template => "Nothing but the template cuts a revision, as the policy says",
    };
    stage.step(8, title, &["gcloud run revisions list --service hello"]);
    revisions::show(stage, cut(4)).await
}

fn farewell(settings: &Settings, program: &str) -> String {
    let shell = Shell::current();
    let set = set_command(settings, Mode::Gcloud, shell, program);
    let flags = place_flags(settings, shell);
    let caller = stage::service_account(settings, "caller");
    format!(
        "\nThe flow went as documented. The server stays up until Ctrl-C. Next, in another shell:\n\n  {set}\n  \
         gcloud run services describe hello\n  gcloud beta run services update hello \
         --add-custom-audiences=https://api.example.test\n  {} token{flags} --as {caller} \
         --audience https://api.example.test\n\nConsole: http://{}/",
        shell.quote(program),
        reachable(settings.listen),
    )
}
