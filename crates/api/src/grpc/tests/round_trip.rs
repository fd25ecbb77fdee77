//! Does a message survive the way through JSON, and JSON the way through a message?

use prost::Message;
use serde_json::json;

use super::sample::{Check, Dice, Sample};
use crate::grpc::json::Json;
use crate::grpc::messages::rpc;
use crate::grpc::methods::{METHODS, check_messages};

/// How often each message is filled. Enough that every case of every choice comes up.
const ROUNDS: u64 = 50;

#[derive(Default)]
struct RoundTrip {
    messages: usize,
}

impl Check for RoundTrip {
    fn message<T: Message + Default + PartialEq + Json + Sample + std::fmt::Debug>(&mut self) {
        self.messages += 1;
        for seed in 0..ROUNDS {
            for mut dice in [Dice::full(seed), Dice::sparse(seed)] {
                check::<T>(&T::sample(&mut dice));
            }
        }
        assert_eq!(T::default().to_json(), json!({}));
        check::<T>(&T::default());
    }
}

fn check<T: Message + Default + PartialEq + Json + std::fmt::Debug>(message: &T) {
    let spelled = message.to_json();
    let read = T::from_json(&spelled).unwrap();
    assert_eq!(&read, message, "through {spelled:#}");
    let over_the_wire = T::decode(message.encode_to_vec().as_slice()).unwrap();
    assert_eq!(over_the_wire.to_json(), spelled);
}

#[test]
fn every_message_of_every_method_survives_json() {
    let mut round_trip = RoundTrip::default();
    check_messages(&mut round_trip);
    assert_eq!(round_trip.messages, 2 * METHODS.len());
}

#[test]
fn the_status_of_a_call_survives_json() {
    RoundTrip::default().message::<rpc::Status>();
}
