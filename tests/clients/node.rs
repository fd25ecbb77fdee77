//! Does @google-cloud/run work unmodified, whichever its transport?

use super::libraries::{Library, beside, chosen, skip, succeeds};
use super::write_back::stays_as_it_is;

/// A script with the modules that `package.json` names.
async fn script(name: &str) -> Option<Library> {
    let modules = chosen("GROUNDRUN_TEST_NODE_MODULES", beside("node").join("node_modules"));
    if !succeeds("node".as_ref(), &["--version"]).await {
        skip("node is not on the PATH");
        return None;
    }
    if !modules.join("@google-cloud/run/package.json").exists() {
        skip("@google-cloud/run is not installed");
        return None;
    }
    let library = Library::new(vec!["node".into(), beside("node").join(name)]);
    // The client looks for a metadata server unless it is told that there is none.
    Some(
        library
            .variable("GROUNDRUN_TEST_NODE_MODULES", modules)
            .variable("METADATA_SERVER_DETECTION", "none"),
    )
}

async fn scenario(door: &str) {
    let Some(script) = script("scenario.mjs").await else { return };
    script.scenario(&[door], "clients::node").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_over_rest() {
    scenario("rest").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_over_grpc() {
    scenario("grpc").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_written_back_stays_as_it_is() {
    let Some(script) = script("write_back.mjs").await else { return };
    stays_as_it_is(&script, &["rest", "grpc"]).await;
}
