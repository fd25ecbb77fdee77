//! What runs here? One page for a person who opens the port in a browser.

use std::fmt::Write as _;

use axum::extract::State as FromState;
use axum::response::Html;
use groundrun_engine::{Page, Scope};
use groundrun_model::service::Service;
use groundrun_model::url::ServiceHosts;

use crate::State;
use crate::call::Who;
use crate::error::Refusal;

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width\">\n<title>groundrun</title>\n<style>\
    :root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
    table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8884}\
    code{font-size:.9em}</style>\n<h1>groundrun</h1>\n";

/// The services of every project, where they answer, and what to type next.
pub(crate) async fn page(
    FromState(state): FromState<State>,
    Who(caller): Who,
) -> Result<Html<String>, Refusal> {
    let mut rows = String::new();
    for project in state.engine.list_projects(&caller).await? {
        let scope = Scope { project, region: None };
        for service in state.engine.list_services(&caller, &scope, &Page::default()).await?.items {
            row(&mut rows, &service, &state);
        }
    }
    let mut page = format!(
        "{HEAD}<p>Cloud Run on the ground, at <code>{}</code>. Point gcloud at it with \
         <code>eval \"$(groundrun env)\"</code>.</p>\n",
        escape(&state.base)
    );
    if rows.is_empty() {
        page.push_str(
            "<p>There is no service yet: <code>gcloud run deploy hello \
             --image=us-docker.pkg.dev/cloudrun/container/hello --no-allow-unauthenticated</code></p>\n",
        );
    } else {
        let _ = write!(
            page,
            "<table>\n<tr><th>Service<th>Region<th>Project<th>Ready revision<th>URL<th>Custom audiences\n{rows}</table>\n"
        );
    }
    Ok(Html(page))
}

fn row(rows: &mut String, service: &Service, state: &State) {
    let url = state.engine.config().urls.urls(&ServiceHosts::new(&service.id)).status_url;
    let ready = service.status.latest_ready.as_ref().map(ToString::to_string).unwrap_or_default();
    let audiences = service.spec.settings.custom_audiences.as_deref().unwrap_or_default().join(", ");
    let id = &service.id;
    let cells = [id.name.as_str(), id.region.as_str(), id.project.id.as_str(), &ready, &url, &audiences];
    rows.push_str("<tr>");
    for cell in cells {
        let _ = write!(rows, "<td>{}", escape(cell));
    }
    rows.push('\n');
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
