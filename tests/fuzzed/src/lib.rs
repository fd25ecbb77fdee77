//! What must hold for any bytes that a client may send?
//!
//! Each target is a function of bytes that panics where a property does not hold. `cargo test` runs them
//! for a second each on the corpus and on mutations of it; `.ci/nightly` runs the same functions under
//! cargo-fuzz (`fuzz/`) for minutes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a property that does not hold ends the run"
)]

mod credential;
mod framing;
mod host;
mod jwt;
mod mutation;
mod request;
#[path = "../../support/strict_http1.rs"]
pub mod strict_http1;

pub use credential::credential;
pub use framing::framing;
pub use host::host;
pub use jwt::jwt;
pub use mutation::mutated;
pub use request::request;

/// A function that panics where a property does not hold.
pub type Target = fn(&[u8]);

/// Every target with the name of its corpus in `fuzz/corpus`.
pub const TARGETS: &[(&str, Target)] =
    &[("host", host), ("credential", credential), ("jwt", jwt), ("request", request), ("framing", framing)];
