//! Which revision takes a request, when the traffic is split?

use std::sync::Arc;

use super::affinity::{self, Client};
use crate::instance::InstanceSpec;

/// The number of faces of the dice that [`Split::pick`] takes.
pub const DICE: u32 = 10_000;

/// Revisions and their shares of the traffic.
#[derive(Debug, Clone, Default)]
pub struct Split {
    /// The sum of the shares up to and with this revision.
    shares: Vec<(u32, Arc<InstanceSpec>)>,
    /// Each revision once, if clients come back to one of them; else nothing.
    affine: Vec<Affine>,
}

#[derive(Debug, Clone)]
struct Affine {
    seed: u64,
    share: u32,
    spec: Arc<InstanceSpec>,
}

impl Split {
    /// A split by percentages. Revisions of 0 percent are never picked. If the percentages do not sum to
    /// 100, because a revision cannot serve, the others take its share in proportion.
    pub fn new(percentages: impl IntoIterator<Item = (u32, Arc<InstanceSpec>)>) -> Self {
        let mut total = 0_u32;
        let positive = percentages.into_iter().filter(|(percent, _)| *percent > 0);
        let cumulate = |(percent, spec)| {
            total = total.saturating_add(percent);
            (total, spec)
        };
        let mut split = Self { shares: positive.map(cumulate).collect(), affine: Vec::new() };
        if split.shares.iter().any(|(_, spec)| spec.session_affinity) {
            split.affine = split.merged();
        }
        split
    }

    /// A revision that is named twice, as the latest and by its name, has one clock for both shares.
    fn merged(&self) -> Vec<Affine> {
        let mut merged: Vec<Affine> = Vec::new();
        for (share, spec) in self.iter() {
            match merged.iter_mut().find(|known| known.spec.revision == spec.revision) {
                Some(known) => known.share = known.share.saturating_add(share),
                None => {
                    let seed = affinity::seed(&spec.revision);
                    merged.push(Affine { seed, share, spec: Arc::clone(spec) });
                }
            }
        }
        merged
    }

    /// The revision on which `dice` in `0..DICE` falls; a larger one is taken modulo. Over all faces each
    /// revision is picked in exact proportion. `None` if there is nothing to pick.
    pub fn pick(&self, dice: u32) -> Option<&Arc<InstanceSpec>> {
        let total = u64::from(self.shares.last()?.0);
        let share = u64::from(dice % DICE) * total / u64::from(DICE);
        self.shares.iter().find(|(until, _)| share < u64::from(*until)).map(|(_, spec)| spec)
    }

    /// Whether clients come back to one of the revisions, so that [`Self::pick_for`] picks.
    pub fn has_affinity(&self) -> bool {
        !self.affine.is_empty()
    }

    /// The revision that this client comes back to, whatever the order in which the revisions were given.
    /// `None` if [`Self::has_affinity`] does not hold.
    pub fn pick_for(&self, client: Client) -> Option<&Arc<InstanceSpec>> {
        let due = |it: &Affine| client.due(it.seed, it.share);
        self.affine.iter().min_by(|a, b| due(a).total_cmp(&due(b))).map(|it| &it.spec)
    }

    /// The revisions that can be picked, with their shares.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Arc<InstanceSpec>)> {
        let before = std::iter::once(0).chain(self.shares.iter().map(|(until, _)| *until));
        self.shares.iter().zip(before).map(|((until, spec), before)| (until - before, spec))
    }
}
