//! What was read or written lately, and need not be read again?
//!
//! Values as the engine has them, in front of the database: reading one costs neither a statement nor the
//! parsing of its JSON. What is here is what the last commit left: the writer replaces or drops what it has
//! written after `COMMIT` and before it answers, and a reader keeps what it has read only if nothing was
//! written meanwhile.

use std::any::Any;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::{Arc, Mutex, PoisonError};

use groundrun_model::kind::{Key, Record, Resource};

/// How much is kept, in bytes of text that the values were read from or are written as, with their names.
/// In memory they take about twice as much.
const CAPACITY: u64 = 4 * 1024 * 1024;

/// What an entry takes besides its name and its value, in bytes.
const OVERHEAD: usize = 512;

/// How many readers and writers do not wait for each other; one waits for a copy of a pointer only.
const SHARDS: usize = 64;

/// A value of whatever type its kind has.
pub(crate) type Value = Arc<dyn Any + Send + Sync>;

/// What is cached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Name {
    /// A resource.
    Resource(Key),
    /// The IAM policy of the resource with this full name.
    Policy(String),
    /// The service account with this address or unique id, in lower case.
    Account(String),
}

/// A value that a commit leaves, so that nobody needs to read it.
#[derive(Clone)]
pub struct Known {
    key: Key,
    value: Value,
    record: fn(&Value) -> Option<Record>,
}

impl Known {
    /// `value`, which the writes of the commit store under `key`.
    pub fn new<R: Resource + Send + Sync + 'static>(key: Key, value: Arc<R>) -> Self {
        let record = |value: &Value| value.downcast_ref::<R>().and_then(|value| value.to_record().ok());
        Self { key, value, record }
    }

    /// Under which key.
    pub(crate) const fn key(&self) -> &Key {
        &self.key
    }

    /// The value as it is stored.
    pub(crate) fn record(&self) -> Option<Record> {
        (self.record)(&self.value)
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Known").field(&self.key).finish()
    }
}

/// What is known of a name: its value, or that there is none.
#[derive(Clone)]
struct Entry {
    value: Option<Value>,
    weight: u32,
}

/// When something was read: a commit of the same shard since then may have made it old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(u64);

/// The values, bounded by their weight.
pub(crate) struct Cache {
    entries: moka::sync::Cache<Name, Entry>,
    /// How often each shard was written. Held while an entry is put in place: a commit cannot fall between
    /// the check and the act of a reader.
    written: Vec<Mutex<u64>>,
}

impl Default for Cache {
    fn default() -> Self {
        let entries = moka::sync::Cache::builder()
            .max_capacity(CAPACITY)
            .weigher(|_, entry: &Entry| entry.weight)
            .build();
        Self { entries, written: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cache").field("weight", &self.entries.weighted_size()).finish()
    }
}

impl Cache {
    /// What is known of `name`: nothing, that it is absent, or its value.
    pub(crate) fn get(&self, name: &Name) -> Option<Option<Value>> {
        self.entries.get(name).map(|entry| entry.value)
    }

    /// Notes the moment, before the database is read for `name`.
    pub(crate) fn moment(&self, name: &Name) -> Moment {
        Moment(*self.shard(name).lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps what was read for `name` since `moment`, unless something was written meanwhile. `size` is
    /// the length of its text.
    pub(crate) fn keep(&self, name: Name, moment: Moment, value: Option<Value>, size: usize) {
        let written = self.shard(&name).lock().unwrap_or_else(PoisonError::into_inner);
        if *written == moment.0 {
            let weight = weight(&name, size);
            self.entries.insert(name, Entry { value, weight });
        }
    }

    /// Notes that `name` was written: to `value` of this size, if the writer knows it.
    pub(crate) fn replace(&self, name: Name, value: Option<(Value, usize)>) {
        let mut written = self.shard(&name).lock().unwrap_or_else(PoisonError::into_inner);
        *written += 1;
        match value {
            Some((value, size)) => {
                let weight = weight(&name, size);
                self.entries.insert(name, Entry { value: Some(value), weight });
            }
            None => self.entries.invalidate(&name),
        }
    }

    /// The value of what a writer knows.
    pub(crate) fn value(known: &Known) -> Value {
        Arc::clone(&known.value)
    }

    fn shard(&self, name: &Name) -> &Mutex<u64> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
        &self.written[usize::try_from(hash % SHARDS as u64).unwrap_or(0)]
    }
}

/// What an entry counts for.
fn weight(name: &Name, size: usize) -> u32 {
    let name = match name {
        Name::Resource(key) => key.project.len() + key.location.len() + key.name.len(),
        Name::Policy(text) | Name::Account(text) => text.len(),
    };
    u32::try_from(name + size + OVERHEAD).unwrap_or(u32::MAX)
}
