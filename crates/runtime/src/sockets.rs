//! Which connections to an instance are open, and idle?
//!
//! What is spoken over them is up to whoever takes one. The pool is in parts, one for each thread of the
//! runtime as a rule, so that a request meets nobody at a lock.

use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use groundrun_model::rule::Upstream;
use socket2::SockRef;
use tokio::net::TcpStream;

/// How many parts a pool has.
const PARTS: usize = 8;

/// How many connections are kept in a part.
const KEPT: usize = 64;

/// An idle connection is closed after once to twice this time: before the servers do that wait for 5 s, which
/// are many.
const SWEEP: Duration = Duration::from_secs(2);

/// The pools of all instances. Clones are one.
#[derive(Debug, Clone, Default)]
pub struct SocketPools(Arc<Mutex<HashMap<Upstream, Arc<SocketPool>>>>);

/// The idle connections to one instance.
#[derive(Debug)]
pub struct SocketPool {
    upstream: Upstream,
    parts: [Mutex<Vec<Idle>>; PARTS],
    /// Counts the sweeps.
    sweep: AtomicU32,
    is_swept: AtomicBool,
}

#[derive(Debug)]
struct Idle {
    stream: TcpStream,
    /// The number of sweeps when it was put here.
    since: u32,
}

impl SocketPools {
    /// The pool of this instance.
    pub fn of(&self, upstream: &Upstream) -> Arc<SocketPool> {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(upstream) {
            return Arc::clone(pool);
        }
        let pool = Arc::new(SocketPool {
            upstream: upstream.clone(),
            parts: Default::default(),
            sweep: AtomicU32::default(),
            is_swept: AtomicBool::default(),
        });
        pools.insert(upstream.clone(), Arc::clone(&pool));
        pool
    }
}

impl SocketPool {
    /// The instance.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// An idle connection that is still open as far as the system has said; the last one that was put here
    /// by this thread if there is one.
    pub fn take(&self) -> Option<TcpStream> {
        let own = own_part();
        for step in 0..PARTS {
            let mut part = match self.parts[(own + step) % PARTS].try_lock() {
                Ok(part) => part,
                Err(TryLockError::Poisoned(part)) => part.into_inner(),
                Err(TryLockError::WouldBlock) => continue,
            };
            while let Some(idle) = part.pop() {
                if is_open(&idle.stream) {
                    return Some(idle.stream);
                }
            }
        }
        None
    }

    /// Keeps a connection over which nothing is on its way.
    pub fn put(self: &Arc<Self>, stream: TcpStream) {
        let since = self.sweep.load(Ordering::Relaxed);
        let mut part = self.part(own_part());
        if part.len() < KEPT {
            part.push(Idle { stream, since });
        }
        drop(part);
        if !self.is_swept.load(Ordering::Relaxed) && !self.is_swept.swap(true, Ordering::AcqRel) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// A new connection.
    ///
    /// # Errors
    /// What the system says.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.upstream.authority()).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn part(&self, at: usize) -> MutexGuard<'_, Vec<Idle>> {
        self.parts[at % PARTS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes what was idle at the last sweep already. Whether something is left.
    fn sweep(&self) -> bool {
        let now = self.sweep.fetch_add(1, Ordering::Relaxed);
        let mut is_left = false;
        for at in 0..PARTS {
            let mut part = self.part(at);
            part.retain(|idle| idle.since == now && is_open(&idle.stream));
            is_left |= !part.is_empty();
        }
        is_left
    }
}

/// Sweeps until the pool is empty or gone.
async fn sweep(pool: Weak<SocketPool>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(pool) = pool.upgrade() else { return };
        if pool.sweep() {
            continue;
        }
        pool.is_swept.store(false, Ordering::Release);
        // What was put here between the two has met a pool that is swept.
        let is_empty = (0..PARTS).all(|at| pool.part(at).is_empty());
        if is_empty || pool.is_swept.swap(true, Ordering::AcqRel) {
            return;
        }
    }
}

/// Whether the system has said nothing of an idle connection since it was read last: what it could say is
/// that the other side closed it, or sent what nobody asked for. It is asked only if there is news.
fn is_open(stream: &TcpStream) -> bool {
    match stream.poll_read_ready(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => true,
        Poll::Ready(Err(_)) => false,
        Poll::Ready(Ok(())) => is_silent(stream),
    }
}

/// Whether there is nothing to read, by asking the system: what the runtime knows of the connection is as
/// old as its last turn.
pub fn is_silent(stream: &TcpStream) -> bool {
    let peeked = SockRef::from(stream).peek(&mut [MaybeUninit::uninit()]);
    matches!(peeked, Err(problem) if problem.kind() == io::ErrorKind::WouldBlock)
}

fn own_part() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static PART: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    PART.with(|part| *part)
}
