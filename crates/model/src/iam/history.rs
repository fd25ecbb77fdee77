//! From when on does a policy count?
//!
//! The hosted service answers a written policy at once, and lets and refuses by it some time later. What
//! was in force before is kept beside the policy, with the moment at which it was replaced, so that what is
//! in force now follows from what is stored.

use serde_json::{Value, json};

use super::Policy;
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// The key of the stored JSON under which former policies stand.
const SUPERSEDED: &str = "superseded";

/// A policy and those that it replaced a short time ago.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyHistory {
    /// The policy that was written last, and that is read back.
    pub current: Policy,
    /// What it replaced, the oldest first, and when.
    superseded: Vec<(Policy, Timestamp)>,
}

impl From<Policy> for PolicyHistory {
    fn from(current: Policy) -> Self {
        Self { current, superseded: Vec::new() }
    }
}

impl PolicyHistory {
    /// Whether no policy of it has a binding.
    pub fn is_empty(&self) -> bool {
        let superseded = self.superseded.iter().map(|(policy, _)| policy);
        superseded.chain([&self.current]).all(|policy| policy.bindings.is_empty())
    }

    /// The history after `next` was written at `now`, where a change takes `delay` seconds to count.
    #[must_use]
    pub fn replaced(mut self, next: Policy, now: Timestamp, delay: i64) -> Self {
        let former = std::mem::replace(&mut self.current, next);
        self.superseded.push((former, now));
        self.superseded.retain(|(_, replaced)| delay > 0 && replaced.plus_seconds(delay) > now);
        self
    }

    /// The policy that counts at `now`, where a change takes `delay` seconds to count.
    pub fn effective(&self, now: Timestamp, delay: i64) -> &Policy {
        let counts = |(_, replaced): &&(Policy, Timestamp)| delay > 0 && now < replaced.plus_seconds(delay);
        self.superseded.iter().find(counts).map_or(&self.current, |(policy, _)| policy)
    }

    /// What is stored.
    pub fn to_json(&self) -> Value {
        let mut json = self.current.to_json();
        if !self.superseded.is_empty()
            && let Some(json) = json.as_object_mut()
        {
            let former = self.superseded.iter().map(
                |(policy, replaced)| json!({ "policy": policy.to_json(), "replaced": replaced.micros() }),
            );
            json.insert(SUPERSEDED.to_owned(), former.collect());
        }
        json
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// 500 if it was not written by [`Self::to_json`].
    pub fn from_json(mut json: Value) -> Result<Self> {
        let damaged = || Error::internal("the stored history of an IAM policy is damaged");
        let former = json.as_object_mut().and_then(|json| json.remove(SUPERSEDED));
        let mut superseded = Vec::new();
        for one in former.as_ref().and_then(Value::as_array).into_iter().flatten() {
            let policy = Policy::from_json(one.get("policy").ok_or_else(damaged)?, "policy")?;
            let replaced = one.get("replaced").and_then(Value::as_i64).ok_or_else(damaged)?;
            superseded.push((policy, Timestamp::from_micros(replaced)));
        }
        Ok(Self { current: Policy::from_json(&json, "policy")?, superseded })
    }
}

/// Which policies count from which moment on, the first from the beginning of time. A request then has
/// only to look at its clock.
pub fn eras<'p>(histories: &[&'p PolicyHistory], delay: i64) -> Vec<(Timestamp, Vec<&'p Policy>)> {
    let changes = histories.iter().flat_map(|history| &history.superseded);
    let mut moments = vec![Timestamp::from_micros(i64::MIN)];
    if delay > 0 {
        moments.extend(changes.map(|(_, replaced)| replaced.plus_seconds(delay)));
    }
    moments.sort_unstable();
    moments.dedup();
    let at = |moment| histories.iter().map(|history| history.effective(moment, delay)).collect();
    moments.into_iter().map(|moment| (moment, at(moment))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Binding;

    fn policy(role: &str) -> Policy {
        let binding =
            Binding { role: role.to_owned(), members: vec!["allUsers".to_owned()], condition: None };
        Policy { bindings: vec![binding], ..Policy::default() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_change_counts_after_its_delay_and_the_next_after_its_own() {
        let history = PolicyHistory::from(policy("a"));
        let history = history.replaced(policy("b"), at(100), 60).replaced(policy("c"), at(130), 60);
        for (now, role) in [(0, "a"), (159, "a"), (160, "b"), (189, "b"), (190, "c"), (1000, "c")] {
            assert_eq!(*history.effective(at(now), 60), policy(role), "{now}");
        }
        assert_eq!(*history.effective(at(100), 0), policy("c"), "without a delay the last write counts");
        let read = PolicyHistory::from_json(history.to_json()).unwrap();
        assert_eq!(read, history);
        let other = PolicyHistory::from(policy("x")).replaced(policy("y"), at(110), 60);
        let (a, b, c, x, y) = (policy("a"), policy("b"), policy("c"), policy("x"), policy("y"));
        assert_eq!(
            eras(&[&history, &other], 60),
            vec![
                (Timestamp::from_micros(i64::MIN), vec![&a, &x]),
                (at(160), vec![&b, &x]),
                (at(170), vec![&b, &y]),
                (at(190), vec![&c, &y]),
            ]
        );
    }

    #[test]
    fn what_counts_no_more_is_forgotten_at_the_next_write() {
        let history = PolicyHistory::from(policy("a")).replaced(policy("b"), at(100), 60);
        let history = history.replaced(policy("c"), at(200), 60);
        assert_eq!(*history.effective(at(0), 60), policy("b"));
        let plain = PolicyHistory::from(policy("a")).replaced(policy("b"), at(100), 0);
        assert_eq!(plain.to_json(), policy("b").to_json(), "nothing is kept without a delay");
    }
}
