//! Over which connection does an instance get a request?

use std::io;
use std::sync::Arc;

use groundrun_model::rule;
use groundrun_runtime::{SocketPool, SocketPools, is_silent};
use tokio::net::TcpStream;

use super::buffer::{Input, Output};

/// What a connection of a client needs of those to instances.
#[derive(Debug, Default)]
pub(super) struct Upstream {
    pub(super) input: Input,
    pub(super) output: Output,
    /// The pool that was used last: it is looked up when it is another one.
    pool: Option<Arc<SocketPool>>,
}

impl Upstream {
    pub(super) fn pool(&mut self, pools: &SocketPools, upstream: &rule::Upstream) -> Arc<SocketPool> {
        match &self.pool {
            Some(pool) if pool.upstream() == upstream => Arc::clone(pool),
            _ => Arc::clone(self.pool.insert(pools.of(upstream))),
        }
    }

    pub(super) fn shrink(&mut self) {
        self.input.shrink();
        self.output.shrink();
    }
}

/// A connection to an instance.
pub(super) struct Line {
    pub(super) stream: TcpStream,
    /// Whether it was used before, and may have been closed meanwhile.
    pub(super) is_used: bool,
}

/// An idle connection if there is one. A request that must not be sent twice goes over one only when the
/// system was asked whether it is open.
pub(super) fn idle(pool: &SocketPool, is_repeatable: bool) -> Option<Line> {
    let stream = pool.take()?;
    (is_repeatable || is_silent(&stream)).then_some(Line { stream, is_used: true })
}

/// A new connection.
///
/// # Errors
/// What the system says.
pub(super) async fn connect(pool: &SocketPool) -> io::Result<Line> {
    Ok(Line { stream: pool.connect().await?, is_used: false })
}
