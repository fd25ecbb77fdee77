//! What can be asked of the emulator that no API of Google has? The paths below `/emulator`.
//!
//! They are for the developer at this machine and for the tests that run there; pages of other sites are
//! refused as everywhere.

pub(crate) mod clock;
pub(crate) mod workloads;
