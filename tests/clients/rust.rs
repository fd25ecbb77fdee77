//! Does google-cloud-run-v2 work unmodified?
//!
//! Its program is a crate of its own, in `tests/clients/rust`: whoever builds it says where it is.

use super::libraries::{Library, skip};
use super::write_back::stays_as_it_is;

fn program() -> Option<Library> {
    let Some(program) = std::env::var_os("GROUNDRUN_TEST_RUST_CLIENT") else {
        skip("GROUNDRUN_TEST_RUST_CLIENT does not say where the program of tests/clients/rust is");
        return None;
    };
    Some(Library::new(vec![program.into()]))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_over_rest() {
    let Some(program) = program() else { return };
    program.scenario(&["scenario"], "clients::rust").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_written_back_stays_as_it_is() {
    let Some(program) = program() else { return };
    stays_as_it_is(&program, &["write-back"]).await;
}
