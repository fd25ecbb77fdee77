//! Does google-cloud-run-v2 work unmodified?
//!
//! Its program is a crate of its own, in `tests/clients/rust`: whoever builds it says where it is.

use super::libraries::{Library, skip};

#[tokio::test(flavor = "multi_thread")]
async fn the_library_over_rest() {
    let Some(program) = std::env::var_os("GROUNDRUN_TEST_RUST_CLIENT") else {
        skip("GROUNDRUN_TEST_RUST_CLIENT does not say where the program of tests/clients/rust is");
        return;
    };
    Library::new(vec![program.into()]).scenario(&[], "clients::rust").await;
}
