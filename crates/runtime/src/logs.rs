//! Where do entries of the log stay?
//!
//! In memory, the last ones of each service. Whoever writes holds a lock for as long as it takes to put a
//! pointer in its place, and whoever reads for as long as it takes to copy the pointers: neither waits for
//! the other to think.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use groundrun_model::instance::InstanceSpec;
use groundrun_model::log::{LogEntry, Stream};
use groundrun_model::{ServiceId, Timestamp};

/// How many entries of a service are kept; the oldest go first.
const ENTRIES: usize = 1_000;

/// How many parts the services are spread over, so that two of them seldom meet at a lock.
const SHARDS: usize = 64;

/// How many services of a part are remembered; the one that wrote longest ago goes first.
const SERVICES: usize = 16;

/// Tells the time.
type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The log. Clones are one.
#[derive(Clone)]
pub struct Logs(Arc<Inner>);

struct Inner {
    now: Now,
    next: AtomicU64,
    seed: RandomState,
    /// Services of one name, in whatever project, are in one of them.
    shards: Vec<Mutex<Vec<(ServiceId, Ring)>>>,
}

/// The entries of one service, oldest first.
type Ring = VecDeque<Arc<LogEntry>>;

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs").field("written", &self.0.next).finish_non_exhaustive()
    }
}

impl Logs {
    /// An empty log; `now` tells when an instance writes a line.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            now: Arc::new(now),
            next: AtomicU64::default(),
            seed: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }))
    }

    /// Keeps an entry, which gets the next number.
    pub fn record(&self, mut entry: LogEntry) {
        entry.sequence = self.0.next.fetch_add(1, Ordering::Relaxed);
        let entry = Arc::new(entry);
        let service = entry.source.service();
        let mut shard = self.shard(service);
        // What goes is freed without the lock: the temporaries live until after it.
        let (_oldest, _forgotten);
        // Most differ in their names already, and those are few.
        let is_it = |(known, _): &&mut (ServiceId, Ring)| known.name == service.name && known == service;
        match shard.iter_mut().find(is_it) {
            Some((_, ring)) => _oldest = push(ring, &entry),
            None => {
                _forgotten = make_room(&mut shard);
                shard.push((service.clone(), Ring::from([Arc::clone(&entry)])));
            }
        }
        drop(shard);
    }

    /// Keeps a line that an instance has written.
    pub fn write(&self, instance: &Arc<InstanceSpec>, stream: Stream, text: &str) {
        self.record(LogEntry::line(Arc::clone(instance), stream, text, (self.0.now)()));
    }

    /// The entries of the services that `chosen` chooses, in no particular order.
    pub fn read(&self, chosen: impl Fn(&ServiceId) -> bool) -> Vec<Arc<LogEntry>> {
        let mut found = Vec::new();
        for shard in &self.0.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (_, ring) in shard.iter().filter(|(service, _)| chosen(service)) {
                found.extend(ring.iter().cloned());
            }
        }
        found
    }

    fn shard(&self, service: &ServiceId) -> MutexGuard<'_, Vec<(ServiceId, Ring)>> {
        let hash = self.0.seed.hash_one(service.name.as_str());
        let at = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        self.0.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts the entry behind the others; returns the oldest if there is one too many.
fn push(ring: &mut Ring, entry: &Arc<LogEntry>) -> Option<Arc<LogEntry>> {
    let dropped = if ring.len() == ENTRIES { ring.pop_front() } else { None };
    ring.push_back(Arc::clone(entry));
    dropped
}

/// Forgets the service that wrote longest ago, if there are too many for another; returns what it wrote.
fn make_room(shard: &mut Vec<(ServiceId, Ring)>) -> Ring {
    if shard.len() < SERVICES {
        return Ring::new();
    }
    let last = |ring: &Ring| ring.back().map(|entry| entry.sequence);
    let quietest = shard.iter().enumerate().min_by_key(|(_, (_, ring))| last(ring)).map(|(at, _)| at);
    quietest.map(|at| shard.swap_remove(at).1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use groundrun_model::instance::Protocol;
    use groundrun_model::rule::Runs;
    use groundrun_model::{Project, Region, RevisionName, ServiceName};

    use super::*;

    fn instance(name: &str) -> Arc<InstanceSpec> {
        let service = ServiceId {
            project: Project::parse("demo-project").unwrap(),
            region: Region::parse("us-central1").unwrap(),
            name: ServiceName::parse(name, "f").unwrap(),
        };
        Arc::new(InstanceSpec {
            revision: RevisionName::lookup("r").unwrap(),
            service,
            image: String::new(),
            service_account: String::new(),
            env: Vec::new(),
            port: 8080,
            concurrency: 80,
            timeout_seconds: 300,
            runs: Runs::Echo,
            protocol: Protocol::Http1,
            session_affinity: false,
        })
    }

    fn texts(logs: &Logs, name: &str) -> Vec<String> {
        let mut entries = logs.read(|service| service.name.as_str() == name);
        entries.sort_by_key(|entry| entry.place());
        entries.iter().map(|entry| entry.text().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_last_thousand_entries_of_a_service_stay() {
        let logs = Logs::new(Timestamp::default);
        let (noisy, quiet) = (instance("noisy"), instance("quiet"));
        logs.write(&quiet, Stream::Stdout, "once");
        for number in 0..1_500 {
            logs.clone().write(&noisy, Stream::Stderr, &number.to_string());
        }
        assert_eq!(texts(&logs, "quiet"), ["once"]);
        let kept = texts(&logs, "noisy");
        assert_eq!((kept.len(), kept[0].as_str(), kept[999].as_str()), (1_000, "500", "1499"));
        assert!(texts(&logs, "other").is_empty());
    }

    #[test]
    fn the_number_of_services_is_bounded_and_the_last_one_is_there() {
        let logs = Logs::new(Timestamp::default);
        for number in 0..2_000 {
            logs.write(&instance(&format!("s{number}")), Stream::Stdout, "x");
        }
        assert!(logs.read(|_| true).len() <= SHARDS * SERVICES);
        assert_eq!(texts(&logs, "s1999"), ["x"]);
    }

    #[test]
    fn whoever_writes_does_not_lose_entries_to_whoever_reads() {
        let logs = Logs::new(Timestamp::default);
        std::thread::scope(|scope| {
            for name in ["a", "b"] {
                let logs = &logs;
                scope.spawn(move || {
                    for number in 0..500 {
                        logs.write(&instance(name), Stream::Stdout, &number.to_string());
                        logs.read(|_| true);
                    }
                });
            }
        });
        for name in ["a", "b"] {
            assert_eq!(texts(&logs, name), (0..500).map(|number| number.to_string()).collect::<Vec<_>>());
        }
    }
}
