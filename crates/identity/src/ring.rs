//! Which keys vouch for ID tokens at a moment?
//!
//! One key signs. The keys that signed before stay published until the last token that they may have
//! signed has ended; keys that the user imported are published and never sign. Who leaves and when is a
//! matter of the moment that is passed in: no timer is needed, and a clock that is moved is obeyed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use groundrun_model::Timestamp;
use groundrun_model::token::LIFETIME_SECONDS;

use crate::cache::VerifiedTokens;
use crate::document::{self, ID_TOKEN_SIGNER};
use crate::error::{KeyError, TokenError, printable};
use crate::public_key::{PublicKey, PublishedKey};
use crate::signing_key::SigningKey;
use crate::slot::Slot;
use crate::{file, ring_files};

/// How long an access token may live, in seconds: 12 hours where an organization allows it. So long the
/// secret of a key is kept that signs no more.
const LONGEST_ACCESS_TOKEN_SECONDS: i64 = 12 * 3600;

/// The end of what has none.
pub(crate) const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// What a published key is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It signs the ID tokens.
    Current,
    /// It signs no more; its tokens may still live.
    Published,
    /// The user imported it: it verifies and never signs.
    Imported,
}

/// A published key.
#[derive(Debug, Clone)]
pub struct RingKey {
    /// The key.
    pub key: PublishedKey,
    /// What it is there for.
    pub state: KeyState,
    /// When it leaves; `None` if that is not settled.
    pub until: Option<Timestamp>,
}

/// The keys of the ID tokens, and the tokens that were verified with them.
#[derive(Debug)]
pub(crate) struct Ring {
    keys: ArcSwap<Held>,
    directory: Option<PathBuf>,
    /// Held by whoever changes the keys, so that no change is lost.
    changing: tokio::sync::Mutex<()>,
    pub(crate) verified: VerifiedTokens,
}

/// The keys at one moment; replaced whole.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) current: Arc<Slot>,
    retired: Vec<Retired>,
    imported: Vec<PublishedKey>,
}

/// A key that signs no more.
#[derive(Debug, Clone)]
pub(crate) struct Retired {
    pub(crate) key: Arc<SigningKey>,
    pub(crate) until: Timestamp,
}

impl Retired {
    /// Whether an access token may live that its secret sealed.
    fn may_have_sealed(&self, now: Timestamp) -> bool {
        now < self.until.plus_seconds(LONGEST_ACCESS_TOKEN_SECONDS - LIFETIME_SECONDS)
    }
}

impl Ring {
    /// The ring that is kept in this directory. A current key that is not there yet is not made by this.
    pub(crate) fn open(directory: Option<&Path>) -> Result<Self, KeyError> {
        let current = Slot::open(directory, ring_files::CURRENT)?;
        let (mut retired, mut imported) = (Vec::new(), Vec::new());
        if let Some(directory) = directory {
            retired = ring_files::retired(directory, current.ready().map(|key| key.kid()))?;
            imported = ring_files::imported(directory)?;
        }
        Ok(Self { directory: directory.map(Path::to_owned), ..Self::of(Held { current, retired, imported }) })
    }

    /// The ring in memory whose current key is in this slot.
    pub(crate) fn in_memory(current: Arc<Slot>) -> Self {
        Self::of(Held { current, retired: Vec::new(), imported: Vec::new() })
    }

    fn of(held: Held) -> Self {
        Self {
            keys: ArcSwap::from_pointee(held),
            directory: None,
            changing: tokio::sync::Mutex::default(),
            verified: VerifiedTokens::default(),
        }
    }

    /// The keys as they are now. Takes no lock.
    pub(crate) fn held(&self) -> Arc<Held> {
        self.keys.load_full()
    }

    /// Whether these are still the keys.
    pub(crate) fn still_holds(&self, held: &Arc<Held>) -> bool {
        Arc::ptr_eq(&self.keys.load(), held)
    }

    /// The key that signs, once it is there.
    pub(crate) async fn current(&self) -> Result<Arc<SigningKey>, KeyError> {
        self.held().current.key().await
    }

    /// Makes a new key the current one; see [`crate::Keys::rotate`].
    pub(crate) async fn rotate(&self, now: Timestamp) -> Result<Arc<SigningKey>, KeyError> {
        let _alone = self.changing.lock().await;
        let old = self.current().await?;
        let until = now.plus_seconds(LIFETIME_SECONDS);
        let directory = self.directory.clone();
        let (new, old) = in_background(move || {
            let new = SigningKey::generate()?;
            if let Some(directory) = &directory {
                ring_files::rotate(directory, &old, until, &new)?;
            }
            Ok((new, old))
        })
        .await?;
        let current = Slot::filled(new);
        let new = current.key().await?;
        self.change(|held| {
            let mut retired = held.retired.clone();
            retired.retain(|key| key.may_have_sealed(now));
            retired.push(Retired { key: Arc::clone(&old), until });
            Held { current: Arc::clone(&current), retired, imported: held.imported.clone() }
        });
        if let Some(directory) = &self.directory {
            let kept = self.held();
            ring_files::remove_ended(directory, |kid| kept.retired.iter().any(|held| held.key.kid() == kid));
        }
        tracing::info!(kid = new.kid(), before = old.kid(), "rotated the key of the ID tokens");
        Ok(new)
    }

    /// Trusts a key of the user's; see [`crate::Keys::import`].
    pub(crate) async fn import(&self, pem: &str, kid: &str) -> Result<(), KeyError> {
        let fits = (1..=128).contains(&kid.len()) && kid.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits {
            return Err(KeyError::KeyId);
        }
        let read = PublishedKey::certified(pem)?;
        let _alone = self.changing.lock().await;
        let current = self.current().await?;
        let key = match read {
            Some(certified) => certified.under(kid),
            None => {
                let key = PublicKey::from_der(&crate::pem::read(pem)?.der).map_err(KeyError::PublicKey)?;
                document::certify(key, ID_TOKEN_SIGNER, &current)?.under(kid)
            }
        };
        let held = self.held();
        if held.own_kids().any(|own| own == kid) {
            return Err(KeyError::OwnKeyId { kid: kid.to_owned() });
        }
        if let Some(known) = held.imported.iter().find(|known| known.kid() == kid) {
            let same = known.key().der() == key.key().der();
            return if same { Ok(()) } else { Err(KeyError::OtherKey { kid: kid.to_owned() }) };
        }
        if let Some(directory) = &self.directory {
            ring_files::import(directory, &key)?;
        }
        self.change(|held| Held {
            imported: held.imported.iter().cloned().chain([key.clone()]).collect(),
            ..held.clone()
        });
        tracing::info!(kid, "imported a key: tokens that it signs are taken");
        Ok(())
    }

    /// The change comes first and the cache is emptied second: what is verified in between is
    /// remembered by nobody, see [`crate::Verifier::verify`].
    fn change(&self, change: impl Fn(&Held) -> Held) {
        self.keys.rcu(|held| change(held));
        self.verified.forget();
    }
}

impl Held {
    /// The key that this id means at the moment `now`, and when it leaves.
    pub(crate) fn find(
        &self,
        kid: &str,
        now: Timestamp,
    ) -> Result<Option<(Arc<PublicKey>, Timestamp)>, TokenError> {
        if let Some(key) = self.current.ready().filter(|key| key.kid() == kid) {
            return Ok(Some((Arc::clone(key.public()), NEVER)));
        }
        if let Some(retired) = self.retired.iter().find(|retired| retired.key.kid() == kid) {
            if now >= retired.until {
                return Err(TokenError::RetiredKey { kid: printable(kid), at: retired.until });
            }
            return Ok(Some((Arc::clone(retired.key.public()), retired.until)));
        }
        let imported = self.imported.iter().find(|key| key.kid() == kid);
        Ok(imported.map(|key| (Arc::clone(key.key()), NEVER)))
    }

    /// The ids of the keys that were made here.
    pub(crate) fn own_kids(&self) -> impl Iterator<Item = &str> {
        let current = self.current.ready().map(|key| key.kid());
        current.into_iter().chain(self.retired.iter().map(|retired| retired.key.kid()))
    }

    /// Whether this is the id of a key that vouches for ID tokens, or did.
    pub(crate) fn knows(&self, kid: &str) -> bool {
        self.own_kids().chain(self.imported.iter().map(PublishedKey::kid)).any(|known| known == kid)
    }

    /// The keys whose secret may have sealed an access token that lives, the current one first.
    pub(crate) fn sealers(&self, now: Timestamp) -> impl Iterator<Item = &Arc<SigningKey>> {
        let before = self.retired.iter().rev().filter(move |retired| retired.may_have_sealed(now));
        self.current.ready().into_iter().chain(before.map(|retired| &retired.key))
    }

    /// All that is published at the moment `now`, the current key first.
    pub(crate) async fn published(&self, now: Timestamp) -> Result<Vec<RingKey>, KeyError> {
        let current = document::publish(&*self.current.key().await?, ID_TOKEN_SIGNER)?;
        let mut keys = vec![RingKey { key: current, state: KeyState::Current, until: None }];
        for retired in self.retired.iter().rev().filter(|retired| now < retired.until) {
            let key = document::publish(&retired.key, ID_TOKEN_SIGNER)?;
            keys.push(RingKey { key, state: KeyState::Published, until: Some(retired.until) });
        }
        let imported = self.imported.iter().cloned();
        keys.extend(imported.map(|key| RingKey { key, state: KeyState::Imported, until: None }));
        Ok(keys)
    }
}

/// Does what takes long where nobody waits for the thread.
pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
) -> Result<T, KeyError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| KeyError::Make(error.to_string()))?
}

/// The directory of the keys in a data directory, made if it is missing.
pub(crate) fn directory(data: Option<&Path>) -> Result<Option<PathBuf>, KeyError> {
    let directory = data.map(|data| data.join("keys"));
    if let Some(directory) = &directory {
        file::open_directory(directory)?;
    }
    Ok(directory)
}
