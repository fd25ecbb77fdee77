//! How does a test come by messages in which every field is filled?

use std::collections::BTreeMap;

use prost::Message;
use prost_types::{Any, Duration, FieldMask, Timestamp};

use crate::grpc::json::{Enumeration, Json};
use crate::grpc::messages::{rpc, run};

/// What fills a message. The same seed fills it the same way.
#[derive(Debug)]
pub(crate) struct Dice {
    state: u64,
    /// Of how many fields with presence, lists and choices one is left out; 0 for none.
    gaps: u64,
}

impl Dice {
    /// Fills every field.
    pub(crate) fn full(seed: u64) -> Self {
        Self { state: seed, gaps: 0 }
    }

    /// Leaves every third field out.
    pub(crate) fn sparse(seed: u64) -> Self {
        Self { state: seed, gaps: 3 }
    }

    fn below(&mut self, end: u64) -> u64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % end
    }

    fn gap(&mut self) -> bool {
        self.gaps > 0 && self.below(self.gaps) == 0
    }

    /// One of these, or none where there is a gap.
    pub(crate) fn choose<'c, T>(&mut self, cases: &'c [T]) -> Option<&'c T> {
        if self.gap() {
            return None;
        }
        let at = self.below(cases.len() as u64);
        cases.get(usize::try_from(at).unwrap())
    }
}

/// A value of which a test can have one.
pub(crate) trait Sample {
    fn sample(dice: &mut Dice) -> Self;
}

/// A field, which may be left out.
pub(crate) trait SampleField {
    fn sample_field(dice: &mut Dice) -> Self;
}

/// What is to be checked of every message.
pub(crate) trait Check {
    fn message<T: Message + Default + PartialEq + Json + Sample + std::fmt::Debug>(&mut self);
}

/// A number that the enumeration has, and not its default if every field is filled.
pub(crate) fn sample_enum<E: Enumeration>(dice: &mut Dice) -> i32 {
    if dice.gap() {
        return 0;
    }
    let known: Vec<i32> = (1..64).filter(|number| E::try_from(*number).is_ok()).collect();
    *dice.choose(&known).unwrap_or(&0)
}

impl Sample for String {
    fn sample(dice: &mut Dice) -> Self {
        format!("text \"{}\" ü", dice.below(1000))
    }
}

impl Sample for bool {
    fn sample(_dice: &mut Dice) -> Self {
        true
    }
}

impl Sample for i32 {
    fn sample(dice: &mut Dice) -> Self {
        i32::MAX - i32::try_from(dice.below(1000)).unwrap()
    }
}

impl Sample for i64 {
    fn sample(dice: &mut Dice) -> Self {
        i64::MAX - i64::try_from(dice.below(1000)).unwrap()
    }
}

impl Sample for Vec<u8> {
    fn sample(dice: &mut Dice) -> Self {
        vec![0xff, 0, u8::try_from(dice.below(256)).unwrap()]
    }
}

impl Sample for Timestamp {
    fn sample(dice: &mut Dice) -> Self {
        Self { seconds: i64::try_from(dice.below(4_000_000_000)).unwrap(), nanos: nanos(dice) }
    }
}

impl Sample for Duration {
    fn sample(dice: &mut Dice) -> Self {
        Self { seconds: i64::try_from(dice.below(3601)).unwrap(), nanos: nanos(dice) }
    }
}

fn nanos(dice: &mut Dice) -> i32 {
    *dice.choose(&[0, 5_000_000, 123_456_000, 123_456_789]).unwrap_or(&0)
}

impl Sample for FieldMask {
    fn sample(_dice: &mut Dice) -> Self {
        Self { paths: vec!["custom_audiences".to_owned(), "template.scaling.min_instance_count".to_owned()] }
    }
}

impl Sample for Any {
    fn sample(dice: &mut Dice) -> Self {
        fn of<T: Sample + Message>(name: &str, dice: &mut Dice) -> Any {
            let type_url = format!("type.googleapis.com/{name}");
            Any { type_url, value: T::sample(dice).encode_to_vec() }
        }
        match dice.below(7) {
            0 => of::<run::Service>("google.cloud.run.v2.Service", dice),
            1 => of::<run::Revision>("google.cloud.run.v2.Revision", dice),
            2 => of::<rpc::BadRequest>("google.rpc.BadRequest", dice),
            3 => of::<rpc::ErrorInfo>("google.rpc.ErrorInfo", dice),
            4 => of::<rpc::LocalizedMessage>("google.rpc.LocalizedMessage", dice),
            5 => of::<()>("google.protobuf.Empty", dice),
            _ => of::<run::Container>("example.Unknown", dice),
        }
    }
}

impl Sample for () {
    fn sample(_dice: &mut Dice) -> Self {}
}

macro_rules! scalars {
    ($($scalar:ty),+) => {$(
        impl SampleField for $scalar {
            fn sample_field(dice: &mut Dice) -> Self {
                if dice.gap() { Self::default() } else { Self::sample(dice) }
            }
        }
    )+};
}

scalars!(String, bool, i32, i64, Vec<u8>);

impl<T: Sample> SampleField for Option<T> {
    fn sample_field(dice: &mut Dice) -> Self {
        (!dice.gap()).then(|| T::sample(dice))
    }
}

impl<T: Sample> SampleField for Vec<T> {
    fn sample_field(dice: &mut Dice) -> Self {
        let length = if dice.gap() { 0 } else { 1 + dice.below(2) };
        (0..length).map(|_| T::sample(dice)).collect()
    }
}

impl<T: Sample> SampleField for BTreeMap<String, T> {
    fn sample_field(dice: &mut Dice) -> Self {
        let length = if dice.gap() { 0 } else { 2 };
        (0..length).map(|_| (String::sample(dice), T::sample(dice))).collect()
    }
}
