//! How does each workload get a metadata server of its own?
//!
//! Its port is a proxy as well. A program that has it for one reaches all that the port of the emulator leads
//! to, and is the workload to the metadata server by whichever name its library knows that.

use std::time::Duration;

use groundrun_engine::{Engine, WorkloadDoor};
use groundrun_identity::Ca;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::connections::{Line, local_name, take};
use super::front::Front;

/// How long to wait when no connection can be accepted, for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// What serves the ports of workloads.
#[derive(Debug)]
pub(super) struct Workloads(JoinHandle<()>);

impl Workloads {
    /// Serves every workload that `engine` opens, each until it is gone.
    ///
    /// `front` and `ca` are those of the emulator, which listens on `port`.
    pub(super) fn serve(engine: &Engine, front: Front, ca: Ca, port: u16) -> Self {
        let doors = engine.workload_doors();
        Self(tokio::spawn(async move {
            let Some(mut doors) = doors else { return };
            // Ends with this task: dropped, it ends the tasks in it.
            let mut serving = JoinSet::new();
            loop {
                tokio::select! {
                    door = doors.recv() => match door {
                        Some(door) => drop(serving.spawn(serve(front.clone(), ca.clone(), port, door))),
                        None => return,
                    },
                    Some(_) = serving.join_next() => {}
                }
            }
        }))
    }

    /// Closes all ports. Requests in flight break off: who asks for a token of an emulator that stops has no
    /// use for it.
    pub(super) fn stop(self) {
        self.0.abort();
    }
}

async fn serve(front: Front, ca: Ca, port: u16, door: WorkloadDoor) {
    let WorkloadDoor { listener, workload, mut gone } = door;
    tracing::debug!(address = ?listener.local_addr().ok(), account = workload.account, "a workload is here");
    let front = front.of(workload);
    // Dropped with this task, which ends what goes on in tunnels too.
    let (_stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (front, name) = (front.clone().from(peer), local_name(&stream));
                    let line = Line { front, ca: ca.clone(), name, port, stopping: stopping.clone() };
                    connections.spawn(take(stream, line));
                }
                Err(problem) => {
                    tracing::warn!(%problem, "cannot accept a connection of a workload");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            // Its sender is the handle, which sends nothing.
            _ = &mut gone => return,
        }
    }
}
