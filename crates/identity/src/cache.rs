//! Which tokens were verified already?
//!
//! Verifying a signature costs more than all else that a request needs. What a token says does not change,
//! so it is verified once; whether it has ended is asked at every use. Only tokens that passed get in, and
//! the number of entries is bounded: nobody without a key can fill the cache. When the keys change, all are
//! forgotten.
//!
//! A look takes no lock and counts nothing: a token has its place in a few slots that its end tells, and is
//! compared as a whole there. A token that passed ends in the text of its signature, which is as good as
//! random, so that nobody can choose where it goes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;
use groundrun_model::Timestamp;
use groundrun_model::token::IdClaims;

/// How many groups of slots there are.
const GROUPS: usize = 2_048;

/// How many slots a group has. With room for 16,384 tokens, those of 10,000 callers at once displace few
/// of each other.
const SLOTS: usize = 8;

/// What is known of a token whose signature and issuer were verified.
#[derive(Debug, Clone)]
pub(crate) struct Remembered {
    /// What it claims.
    pub(crate) claims: Arc<IdClaims>,
    /// Its claim `nbf`, in seconds since the epoch; the least number if it has none.
    pub(crate) not_before: i64,
    /// When the key leaves that signed it.
    pub(crate) key_ends: Timestamp,
}

/// Tokens whose signature and issuer were verified, by the whole token. Clones are one.
#[derive(Clone)]
pub(crate) struct VerifiedTokens(Arc<Table>);

struct Table {
    groups: Box<[[Slot; SLOTS]]>,
    /// Which slot of a full group is given to another token.
    next: AtomicUsize,
}

#[derive(Default)]
struct Slot {
    /// The mark of the token that is held; nothing is read from a slot of another one.
    mark: AtomicU64,
    held: ArcSwapOption<Entry>,
}

struct Entry {
    token: Box<str>,
    remembered: Remembered,
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        let groups = (0..GROUPS).map(|_| Default::default()).collect();
        Self(Arc::new(Table { groups, next: AtomicUsize::default() }))
    }
}

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What it holds are tokens, which no output may show.
        f.write_str("VerifiedTokens")
    }
}

impl VerifiedTokens {
    /// The token, if it was verified before.
    pub(crate) fn get(&self, token: &str) -> Option<Remembered> {
        let mark = mark(token);
        self.0.group(mark).iter().filter(|slot| slot.mark.load(Ordering::Relaxed) == mark).find_map(|slot| {
            let held = slot.held.load();
            held.as_ref().filter(|entry| *entry.token == *token).map(|entry| entry.remembered.clone())
        })
    }

    /// Remembers a token that was verified.
    pub(crate) fn insert(&self, token: &str, remembered: &Remembered) {
        let mark = mark(token);
        let entry = Entry { token: token.into(), remembered: remembered.clone() };
        let group = self.0.group(mark);
        let same = group.iter().find(|slot| slot.holds(token));
        let slot = same
            .or_else(|| group.iter().find(|slot| slot.held.load().is_none()))
            .unwrap_or_else(|| &group[self.0.next.fetch_add(1, Ordering::Relaxed) % SLOTS]);
        slot.held.store(Some(Arc::new(entry)));
        slot.mark.store(mark, Ordering::Relaxed);
    }

    /// Forgets one token.
    pub(crate) fn remove(&self, token: &str) {
        self.0
            .group(mark(token))
            .iter()
            .filter(|slot| slot.holds(token))
            .for_each(|slot| slot.held.store(None));
    }

    /// Forgets all tokens.
    pub(crate) fn forget(&self) {
        self.0.groups.iter().flatten().for_each(|slot| slot.held.store(None));
    }
}

impl Table {
    fn group(&self, mark: u64) -> &[Slot; SLOTS] {
        // The multiplication has spread the text over the upper bits.
        &self.groups[(mark >> 40) as usize % GROUPS]
    }
}

impl Slot {
    fn holds(&self, token: &str) -> bool {
        self.held.load().as_ref().is_some_and(|entry| *entry.token == *token)
    }
}

/// A number that the end of a token tells. The last character is not looked at: it has few bits.
fn mark(token: &str) -> u64 {
    let text = token.as_bytes();
    let end = text.len().saturating_sub(1);
    let eight = |from_end: usize| {
        let mut word = [0; 8];
        let piece = end.checked_sub(from_end).and_then(|start| text.get(start..start + 8)).unwrap_or(&[0; 8]);
        word.copy_from_slice(piece);
        u64::from_le_bytes(word)
    };
    // 64 bits of text have 48 bits of the signature; an odd number loses none of them.
    (eight(8) ^ eight(16).rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
impl VerifiedTokens {
    /// How many tokens are remembered.
    pub(crate) fn len(&self) -> usize {
        self.0.groups.iter().flatten().filter(|slot| slot.held.load().is_some()).count()
    }
}

#[cfg(test)]
mod tests {
    use groundrun_model::account::Account;

    use super::*;

    fn remembered(number: usize) -> Remembered {
        let account = Account::new(&format!("a{number}@demo.iam.gserviceaccount.com"));
        let claims = IdClaims::new(&account, "aud", true, Timestamp::from_seconds(number as i64));
        Remembered { claims: Arc::new(claims), not_before: 0, key_ends: Timestamp::from_seconds(1) }
    }

    /// Something like a token: its end is spread as that of a signature is.
    fn token(number: usize) -> String {
        let spread = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        format!("head.payload.{spread:032x}{:032x}A", spread.wrapping_mul(spread | 1))
    }

    #[test]
    fn the_tokens_of_a_thousand_callers_are_all_remembered_and_of_ever_so_many_no_more_than_there_is_room_for()
     {
        let tokens = VerifiedTokens::default();
        let is_held = |number: usize| {
            let found = tokens.get(&token(number));
            found.is_some_and(|found| found.claims.iat == number as i64)
        };
        (0..1_000).for_each(|number| tokens.insert(&token(number), &remembered(number)));
        assert!((0..1_000).all(is_held));
        (1_000..10_000).for_each(|number| tokens.insert(&token(number), &remembered(number)));
        let held = (0..10_000).filter(|number| is_held(*number)).count();
        assert!(held > 9_500, "{held} of 10,000");
        (10_000..60_000).for_each(|number| tokens.insert(&token(number), &remembered(0)));
        assert!(tokens.len() <= GROUPS * SLOTS);
        tokens.forget();
        assert_eq!(tokens.len(), 0);
        assert!(!(0..60_000).any(is_held));
    }

    #[test]
    fn a_token_is_compared_as_a_whole_and_kept_once() {
        let tokens = VerifiedTokens::default();
        let good = token(7);
        tokens.insert(&good, &remembered(7));
        tokens.insert(&good, &remembered(8));
        assert_eq!((tokens.len(), tokens.get(&good).unwrap().claims.iat), (1, 8));
        // The same end, by which it is found.
        let forged = good.replacen("payload", "PAYLOAD", 1);
        assert_eq!(mark(&forged), mark(&good));
        assert!(tokens.get(&forged).is_none());
        for short in ["", "a", "abcdefgh", "abcdefghi", "abcdefghijklmnopq"] {
            assert!(tokens.get(short).is_none());
        }
        tokens.remove(&forged);
        assert_eq!(tokens.len(), 1);
        tokens.remove(&good);
        assert_eq!(tokens.len(), 0);
    }
}
