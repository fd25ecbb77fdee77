//! What is done with the requests of a connection, one after the other?

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use groundrun_model::instance::{InstanceSpec, Protocol};
use groundrun_model::request::body_limit;
use groundrun_model::routing::{Entry, HostMatch};
use groundrun_model::rule::Runs;
use groundrun_model::{door, door::Door};
use http::{Method, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::body::Body;
use super::buffer::{Input, Output};
use super::chunked::{Chunked, room};
use super::exchange::Exchange;
use super::judge::{self, Framing, Head, Verdict};
use super::patience::{HEAD, IDLE, Patience, Stop, Time};
use super::request::{self, Spelled};
use super::response::push_date;
use super::upstream::Upstream;
use super::{Client, Outcome};
use crate::arrival::Arrival;
use crate::data_plane::{Admission, DataPlane};
use crate::log::Arrived;

/// How much may wait of what a client sends before it is asked for, in bytes.
pub(super) const PIPELINED: usize = judge::MAX_HEAD;

/// From so many bytes on every read is looked at: the head must not get too large.
const ENOUGH: usize = PIPELINED - 4096;

/// How long a client may take to see that its connection ends, so that it sees the answer before.
const LINGER: Duration = Duration::from_secs(5);

/// Who waits with the body until it is wanted is told at once: what is refused for its head was refused
/// before (RFC 9110, section 10.1.1).
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The connection of a client, and what it needs of one to an instance.
pub(super) struct Connection<I> {
    pub(super) io: I,
    pub(super) input: Input,
    pub(super) output: Output,
    pub(super) upstream: Upstream,
    pub(super) patience: Patience,
    pub(super) stop: Stop,
    client: Client,
    spelled: Spelled,
}

/// What the front of the input is.
enum Next {
    /// Not a whole head.
    More,
    /// Nothing for this.
    HandOver,
    /// An answer that is made here. Whether the next request can be read behind it.
    Page(Response<groundrun_runtime::Body>, bool),
    /// A request that may be forwarded, and whose head for the instance is written.
    Forward(Forward),
}

/// A request that may be forwarded.
pub(super) struct Forward {
    pub(super) admission: Admission,
    pub(super) arrived: Arrived,
    pub(super) method: Method,
    pub(super) body: Body,
    pub(super) closes: bool,
}

/// How a connection goes on.
pub(super) enum After {
    /// With the next request.
    Next,
    /// It ends, when the client has seen what was sent.
    Linger,
    /// It ends at once.
    Cut,
}

impl<I> Connection<I>
where
    I: AsyncRead + AsyncWrite + Unpin + Send,
{
    pub(super) fn new(io: I, client: Client, stop: watch::Receiver<bool>) -> Self {
        Self {
            io,
            input: Input::default(),
            output: Output::default(),
            upstream: Upstream::default(),
            patience: Patience::new(HEAD),
            stop: Stop::new(stop),
            client,
            spelled: Spelled::new(client.peer.ip()),
        }
    }

    pub(super) async fn serve(mut self, plane: &DataPlane) -> Outcome<I> {
        loop {
            let after = match self.next(plane).await {
                None => return Outcome::Done,
                Some(Next::HandOver | Next::More) => {
                    let read = Bytes::copy_from_slice(self.input.as_slice());
                    return Outcome::HandOver { io: self.io, read };
                }
                Some(Next::Page(page, is_kept)) => {
                    let is_kept = is_kept && !self.stop.is_now();
                    put_page(self.output.bytes(), page, is_kept).await;
                    self.finish_page(is_kept).await
                }
                Some(Next::Forward(forward)) => Exchange::run(&mut self, plane, forward).await,
            };
            match after {
                After::Next => {}
                After::Cut => return Outcome::Done,
                After::Linger => {
                    self.linger().await;
                    return Outcome::Done;
                }
            }
            self.input.shrink();
            self.output.shrink();
            self.upstream.shrink();
            self.patience.set(IDLE);
        }
    }

    /// The next thing to do; `None` if there is nothing more.
    async fn next(&mut self, plane: &DataPlane) -> Option<Next> {
        let mut known = 0;
        loop {
            let input = self.input.as_slice();
            // A head ends with a line. Who sends it byte by byte does not have it read as often.
            if input.len() > known && (known == 0 || input[known..].contains(&b'\n') || input.len() > ENOUGH)
            {
                match self.look(plane) {
                    Next::More if known == 0 => self.patience.set(HEAD),
                    Next::More => {}
                    next => return Some(next),
                }
            }
            known = self.input.len();
            self.read().await?;
        }
    }

    /// Reads something; `None` if nothing comes any more, or not in time. Who is idle when the emulator stops
    /// is not waited for.
    async fn read(&mut self) -> Option<()> {
        let Self { io, input, patience, stop, .. } = self;
        poll_fn(|cx| {
            if let Poll::Ready(read) = input.poll_fill(cx, io, 2 * PIPELINED) {
                return Poll::Ready(matches!(read, Ok(1..)).then_some(()));
            }
            if (input.is_empty() && stop.poll(cx)) || patience.poll(cx) == Time::Over {
                return Poll::Ready(None);
            }
            Poll::Pending
        })
        .await
    }

    /// Looks at the front of the input. What is forwarded is taken from it, up to the body.
    fn look(&mut self, plane: &DataPlane) -> Next {
        let Self { input, output, upstream, client, spelled, .. } = self;
        let table = plane.0.table.load();
        let is_service = |host: &str| {
            let door = door::classify(&table, Some(host), "/", false);
            matches!(door, Door::DataPlane(_) | Door::NoSuchService { .. })
        };
        let mut room = room();
        let head = match judge::judge(input.as_slice(), &mut room, &is_service) {
            Verdict::Partial => return Next::More,
            Verdict::Elsewhere => return Next::HandOver,
            Verdict::Refused(rejection) => return Next::Page(plane.refuse_bytes(&rejection), false),
            Verdict::Head(head) => head,
        };
        let Some(found) = table.route(&head.name).filter(is_known_here) else { return Next::HandOver };
        let arrival =
            Arrival { authority: head.host, peer: client.peer, scheme: client.scheme, origin: client.origin };
        let at = (plane.0.now)();
        let arrived = Arrived::new(at, &head, &arrival);
        let method = Method::from_bytes(head.method.as_bytes()).unwrap_or_default();
        match plane.judge(&found, &head.name, (&head, &arrival), at) {
            Ok(admission) => {
                let out = upstream.output.bytes();
                request::push(out, &head, (&admission).into(), spelled);
                let (body, closes, length) = (body_of(&head), head.closes, head.length);
                if head.expects {
                    output.bytes().extend_from_slice(CONTINUE);
                }
                input.consume(length);
                Next::Forward(Forward { admission, arrived, method, body, closes })
            }
            Err(rejection) => {
                let page = plane.refuse(&rejection, &method, arrived);
                let (is_kept, length) = (head.framing == Framing::None && !head.closes, head.length);
                input.consume(length);
                Next::Page(page, is_kept)
            }
        }
    }

    pub(super) async fn finish_page(&mut self, is_kept: bool) -> After {
        match (self.send().await, is_kept) {
            (None, _) => After::Cut,
            (Some(()), true) => After::Next,
            (Some(()), false) => After::Linger,
        }
    }

    /// Sends what is in the output; `None` if the client does not take it.
    pub(super) async fn send(&mut self) -> Option<()> {
        let Self { io, output, patience, .. } = self;
        patience.set(HEAD);
        poll_fn(|cx| {
            let sent = match output.poll_send(cx, io) {
                Poll::Ready(Ok(())) => Pin::new(&mut *io).poll_flush(cx),
                other => other,
            };
            match sent {
                Poll::Pending if patience.poll(cx) != Time::Over => Poll::Pending,
                Poll::Ready(Ok(())) => Poll::Ready(Some(())),
                _ => Poll::Ready(None),
            }
        })
        .await
    }

    /// Ends the connection, and takes what the client still sends: who closes with bytes unread makes the
    /// client's system throw away the answer.
    async fn linger(&mut self) {
        let Self { io, input, patience, stop, .. } = self;
        patience.set(LINGER);
        let mut is_shut = false;
        poll_fn(|cx: &mut Context<'_>| {
            if !is_shut {
                match Pin::new(&mut *io).poll_shutdown(cx) {
                    Poll::Ready(Ok(())) => is_shut = true,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
            }
            loop {
                input.consume(input.len());
                match input.poll_fill(cx, io, PIPELINED) {
                    Poll::Ready(Ok(1..)) => {}
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending if patience.poll(cx) == Time::Over || stop.poll(cx) => {
                        return Poll::Ready(());
                    }
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }
}

/// Whether the request passed no load balancer, and every instance that could take it is one that is spoken to
/// here. Were it asked only of the one that is drawn, hyper would draw again, and the split would not be as it
/// is set.
fn is_known_here(found: &HostMatch<'_>) -> bool {
    let is_known = |spec: &InstanceSpec| {
        matches!(spec.runs, Runs::Url(_)) && spec.protocol == Protocol::Http1 && !spec.session_affinity
    };
    let are_known = match found.tag {
        Some(tag) => found.route.tags.get(tag).is_some_and(|spec| is_known(spec)),
        None => found.route.split.iter().all(|(_, spec)| is_known(spec)),
    };
    !matches!(found.entry, Entry::Balancer(_)) && are_known
}

fn body_of(head: &Head<'_, '_>) -> Body {
    match head.framing {
        Framing::None => Body::Done,
        Framing::Length(length) => Body::of_length(length),
        Framing::Chunked => {
            Body::Chunked(Chunked::of(head.headers), body_limit(Protocol::Http1).unwrap_or(u64::MAX))
        }
    }
}

/// Puts an answer that is made here behind `out`.
pub(super) async fn put_page(out: &mut Vec<u8>, page: Response<groundrun_runtime::Body>, is_kept: bool) {
    use http_body_util::BodyExt as _;
    let (head, body) = page.into_parts();
    // A page is there already: nothing is waited for, and nothing fails.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    out.extend_from_slice(format!("HTTP/1.1 {}\r\n", head.status).as_bytes());
    for (name, value) in &head.headers {
        super::body::push_header(out, name.as_str(), value.as_bytes());
    }
    push_date(out);
    if !is_kept {
        out.extend_from_slice(b"connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&body);
}
