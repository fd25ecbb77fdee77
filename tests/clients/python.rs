//! Do google-cloud-run and google-api-python-client work unmodified, whichever their transport?

use std::path::PathBuf;

use groundrun_tests::World;

use super::libraries::{Library, beside, chosen, skip, succeeds};
use super::write_back::stays_as_it_is;

/// A script with the interpreter that has what `requirements.txt` names.
async fn script(name: &str) -> Option<Library> {
    let python = chosen("GROUNDRUN_TEST_PYTHON", PathBuf::from("python3"));
    let probe =
        "from importlib.metadata import version as v; v('google-cloud-run'); v('google-api-python-client')";
    if !succeeds(&python, &["-c", probe]).await {
        skip("google-cloud-run and google-api-python-client are not installed");
        return None;
    }
    // -B: no compiled files in the sources.
    Some(Library::new(vec![python, "-B".into(), beside("python").join(name)]))
}

async fn scenario(door: &str) {
    let Some(script) = script("scenario.py").await else { return };
    script.scenario(&[door], "clients::python").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_discovery_client_of_v1() {
    scenario("discovery-v1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_discovery_client_of_v2() {
    scenario("discovery-v2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_over_rest() {
    scenario("library-rest").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_over_grpc() {
    scenario("library-grpc").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_over_grpc_without_blocking() {
    scenario("library-grpc-async").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_written_back_stays_as_it_is() {
    let Some(script) = script("write_back.py").await else { return };
    let doors = ["discovery-v1", "discovery-v2", "library-rest", "library-grpc", "library-grpc-async"];
    stays_as_it_is(&script, &doors).await;
}

/// Google's discovery documents are the schema of record.
#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_the_discovery_documents_is_known() {
    let Some(script) = script("schema.py").await else { return };
    let world = World::start().await;
    let differences = script.run(&[&world.server().address().to_string()]).await;
    // Clients send the targets of `trafficStatuses` as targets.
    assert_eq!(differences, ["adds v2.traffic[].uri"]);
}
