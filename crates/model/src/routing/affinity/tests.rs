//! Do clients come back, and do few of them move when the shares do?

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::routing::Split;
use crate::routing::tests::{service, spec};

/// How many clients stand for all: with as many a share is met within a percent.
const CLIENTS: u64 = 40_000;

/// What a share of the clients may differ from its expectation, as a fraction of all: five standard
/// deviations at the most.
const EPSILON: f64 = 0.0125;

/// Shares by the numbers of revisions.
type Shares = BTreeMap<u8, u32>;

fn split(shares: impl IntoIterator<Item = (u8, u32)>) -> Split {
    let id = service("demo-project", "us-central1", "hello");
    let spec = |number: u8| {
        let spec = spec(&id, &format!("hello-{number:05}-abc"));
        Arc::new(crate::instance::InstanceSpec { session_affinity: true, ..spec })
    };
    Split::new(shares.into_iter().map(|(number, share)| (share, spec(number))))
}

fn picked(split: &Split, client: u64) -> String {
    split.pick_for(Client::new(client)).unwrap().revision.to_string()
}

/// Numbers as they are drawn for clients, the same at every run.
fn clients() -> impl Iterator<Item = u64> {
    (0..CLIENTS).map(|n| mixed(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn fraction(count: usize) -> f64 {
    count as f64 / CLIENTS as f64
}

/// The fraction of the clients that go to another revision under `after` than under `before`.
fn moved(before: &Shares, after: &Shares) -> f64 {
    let [before, after] = [before, after].map(|shares| split(shares.clone()));
    fraction(clients().filter(|client| picked(&before, *client) != picked(&after, *client)).count())
}

/// By how much the shares differ: the fraction that every rule must move.
fn change(before: &Shares, after: &Shares) -> f64 {
    let part = |shares: &Shares, number: u8| {
        let total: u32 = shares.values().sum();
        f64::from(shares.get(&number).copied().unwrap_or(0)) / f64::from(total)
    };
    (0..=u8::MAX).map(|n| (part(after, n) - part(before, n)).max(0.0)).sum()
}

fn shares() -> impl Strategy<Value = Shares> {
    proptest::collection::btree_map(0_u8..6, 1_u32..=100, 1..5)
}

#[test]
fn from_ninety_to_eighty_ten_percent_move() {
    for (before, after) in
        [([90, 10], [80, 20]), ([80, 20], [90, 10]), ([100, 0], [99, 1]), ([50, 50], [0, 100])]
    {
        let named = |shares: [u32; 2]| Shares::from_iter((1..).zip(shares).filter(|(_, share)| *share > 0));
        let (before, after) = (named(before), named(after));
        let (moved, change) = (moved(&before, &after), change(&before, &after));
        assert!(
            (moved - change).abs() < EPSILON / 2.0,
            "{before:?} to {after:?}: {moved} moved for {change}"
        );
    }
}

#[test]
fn a_revision_that_fails_moves_its_own_clients_only() {
    let before = Shares::from([(1, 50), (2, 30), (3, 20)]);
    let after = Shares::from([(1, 50), (3, 20)]);
    let [all, rest] = [&before, &after].map(|shares| split(shares.clone()));
    for client in clients() {
        let home = picked(&all, client);
        assert!(home == "hello-00002-abc" || home == picked(&rest, client));
    }
}

#[test]
fn a_revision_that_is_named_twice_has_the_sum_of_its_shares() {
    let twice = split([(1, 30), (2, 40), (1, 30)]);
    let once = split([(1, 60), (2, 40)]);
    assert!(clients().all(|client| picked(&twice, client) == picked(&once, client)));
}

#[test]
fn without_affinity_there_is_nothing_to_come_back_to() {
    let id = service("demo-project", "us-central1", "hello");
    let [plain, sticky] = [false, true].map(|session_affinity| {
        let spec = spec(&id, &format!("hello-{session_affinity}"));
        Arc::new(crate::instance::InstanceSpec { session_affinity, ..spec })
    });
    let split = Split::new([(100, Arc::clone(&plain)), (0, Arc::clone(&sticky))]);
    assert!(!split.has_affinity() && split.pick_for(Client::new(1)).is_none(), "of 0 percent is not there");
    assert!(Split::new([(90, plain), (10, sticky)]).has_affinity());
    assert!(Split::default().pick_for(Client::new(1)).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn clients_are_spread_as_the_shares_are(shares in shares()) {
        let split = split(shares.clone());
        let total: u32 = shares.values().sum();
        let mut counts = BTreeMap::new();
        for client in clients() {
            *counts.entry(picked(&split, client)).or_insert(0) += 1;
        }
        for (number, share) in shares {
            let found = fraction(counts.get(&format!("hello-{number:05}-abc")).copied().unwrap_or(0));
            let expected = f64::from(share) / f64::from(total);
            prop_assert!((found - expected).abs() < EPSILON, "{found} for {expected}");
        }
    }

    /// What one revision gains or loses, and the others lose or gain in proportion, is all that moves.
    #[test]
    fn a_share_that_grows_takes_clients_and_no_other_swaps_any(shares in shares(), which in 0_u8..6, more in 1_u32..100) {
        let mut after = shares.clone();
        *after.entry(which).or_insert(0) += more;
        prop_assume!(after.len() > 1);
        let [a, b] = [&shares, &after].map(|shares| split(shares.clone()));
        let name = format!("hello-{which:05}-abc");
        for client in clients().take(2_000) {
            let (was, is) = (picked(&a, client), picked(&b, client));
            prop_assert!(was == is || is == name, "{was} to {is}");
        }
        prop_assert!((moved(&shares, &after) - change(&shares, &after)).abs() < EPSILON);
    }

    /// Revisions that come, go, grow and shrink at once.
    #[test]
    fn whatever_changes_few_clients_move(before in shares(), after in shares()) {
        let (moved, change) = (moved(&before, &after), change(&before, &after));
        prop_assert!(moved <= 2.0 * change / (1.0 + change) + EPSILON, "{moved} moved for {change}");
        prop_assert!(moved >= change - EPSILON);
    }

    #[test]
    fn the_order_of_the_targets_does_not_count(shares in shares().prop_map(Vec::from_iter), client in any::<u64>()) {
        let backwards = split(shares.iter().rev().copied());
        prop_assert_eq!(picked(&split(shares), client), picked(&backwards, client));
    }

    #[test]
    fn a_cookie_is_read_back_from_what_was_set(number in any::<u64>(), before in "[ -:<-~]{0,20}", after in "[ -:<-~]{0,20}") {
        let set = Client::new(number).set_cookie(Timestamp::from_seconds(0));
        let pair = set.split(';').next().unwrap();
        prop_assume!(!before.trim().starts_with("GAESA=") );
        for header in [pair.to_owned(), format!("{before}; {pair};{after}"), format!("{before};\t{pair} ")] {
            let read = Client::of_cookies([header.as_bytes()].into_iter());
            prop_assert_eq!(read, Some(Client::new(number)), "{}", header);
        }
    }

    #[test]
    fn no_header_makes_the_reading_panic(headers in proptest::collection::vec(any::<Vec<u8>>(), 0..3), value in any::<Vec<u8>>()) {
        let _ = Client::of_cookies(headers.iter().map(Vec::as_slice));
        let _ = Client::of_cookies([[b"GAESA=".as_slice(), &value].concat().as_slice()].into_iter());
    }
}

#[test]
fn the_cookie_is_the_hosted_one_in_form() {
    let now = Timestamp::parse("2026-11-24T06:00:00Z").unwrap();
    assert_eq!(
        Client::new(0x0102_0304_0506_0708).set_cookie(now),
        "GAESA=AQECAwQFBgcI; expires=Thu, 24-Dec-2026 06:00:00 GMT; path=/"
    );
}

#[test]
fn the_cookie_is_found_among_others_and_what_is_malformed_is_none() {
    let good = Some(Client::new(0x0102_0304_0506_0708));
    let read = |headers: &[&str]| Client::of_cookies(headers.iter().map(|header| header.as_bytes()));
    for headers in [
        &["GAESA=AQECAwQFBgcI"][..],
        &["a=b; GAESA=AQECAwQFBgcI; c=d"],
        &["a=b", "GAESA=AQECAwQFBgcI"],
        &["a=b;GAESA=AQECAwQFBgcI"],
        &[";;  GAESA=AQECAwQFBgcI ;"],
        &["GAESA=\"AQECAwQFBgcI\""],
        &["GAESA=; GAESA=AQECAwQFBgcI"],
        &["GAESA; GAESA=AQECAwQFBgcI"],
    ] {
        assert_eq!(read(headers), good, "{headers:?}");
    }
    for headers in [
        &[][..],
        &[""],
        &["GAESA"],
        &["GAESA="],
        &["GAESA= AQECAwQFBgcI"],
        &["gaesa=AQECAwQFBgcI"],
        &["xGAESA=AQECAwQFBgcI"],
        &["GAESA2=AQECAwQFBgcI"],
        &["a=GAESA=AQECAwQFBgcI"],
        &["GAESA=AQECAwQFBgc"],
        &["GAESA=AQECAwQFBgcIAA"],
        &["GAESA=AQECAwQFBgcIAAAAAAAAAAAAAAAA"],
        &["GAESA=AgECAwQFBgcI"],
        &["GAESA=AQECAwQFBg=="],
        &["GAESA=AQECAwQFB+/I"],
        &["GAESA=\"AQECAwQFBgcI"],
        &["GAESA=CpgBMDA1ZWI2OTc0YzA0MTk2YTBk"],
    ] {
        assert_eq!(read(headers), None, "{headers:?}");
    }
}
