//! Is gRPC answered as its clients expect?

mod calls;
mod names;
mod refusals;
mod round_trip;
pub(crate) mod sample;
mod server;
mod spelling;
