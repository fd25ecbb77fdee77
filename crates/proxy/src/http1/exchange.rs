//! How do a request and its response pass each other between a client and an instance?
//!
//! Both ways are open at once: a response may come before the request is through. Whoever goes away takes the
//! other one along.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use groundrun_model::failure::Failure;
use groundrun_model::rule::Runs;
use groundrun_runtime::{RespondError, SocketPool};
use http::{Method, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::body::{Body, Broken};
use super::connection::{After, Connection, Forward, PIPELINED, put_page};
use super::patience::Time;
use super::response::{self, Answer, Fault, Manner, Read};
use super::upstream::{self, Line, Upstream};
use crate::data_plane::{Admission, DataPlane};
use crate::reject::Rejection;

/// One request and its response.
pub(super) struct Exchange<'c, I> {
    connection: &'c mut Connection<I>,
    plane: &'c DataPlane,
    /// What is left of the request.
    body: Body,
    /// Whether the instance takes no more of it.
    is_refused: bool,
    /// Whether the client asks for the end of its connection.
    closes: bool,
    /// Whether something of a response came over the present connection to the instance.
    has_begun: bool,
    /// Whether a byte moved since the time said to look, and whether none did before.
    has_moved: bool,
    has_stalled: bool,
}

/// Why there is no response, or no whole one.
enum Problem {
    /// The client is gone, or has stalled: nobody is told anything.
    Client,
    /// The client sent what is no body.
    Request,
    /// The client sent more than it may.
    TooLarge,
    /// The instance is at fault.
    Instance(Failure, String),
    /// The connection ended before anything came over it.
    Stale(String),
}

impl<'c, I> Exchange<'c, I>
where
    I: AsyncRead + AsyncWrite + Unpin + Send,
{
    /// Forwards a request, whose head is in the output for the instance.
    pub(super) async fn run(
        connection: &'c mut Connection<I>,
        plane: &'c DataPlane,
        request: Forward,
    ) -> After {
        let Forward { admission, arrived, method, body, closes } = request;
        let exchange = Self {
            connection,
            plane,
            body,
            is_refused: false,
            closes,
            has_begun: false,
            has_moved: false,
            has_stalled: false,
        };
        exchange.forward(admission, arrived, method).await
    }

    async fn forward(mut self, admission: Admission, arrived: crate::log::Arrived, method: Method) -> After {
        let Runs::Url(at) = &admission.instance.runs else { return After::Cut };
        let pool = self.connection.upstream.pool(&self.plane.1, at);
        let seconds = admission.instance.timeout_seconds;
        self.connection.patience.set(Duration::from_secs(seconds.into()));
        let problem = match self.respond(&pool, &admission, &method).await {
            Ok((line, answer)) => {
                let status = StatusCode::from_u16(answer.status).unwrap_or_default();
                self.plane.note_answer(&admission, arrived, status, answer.size);
                return self.relay(&pool, line, answer).await;
            }
            Err(problem) => problem,
        };
        let instance = admission.instance;
        let rejection = match problem {
            Problem::Client => return After::Cut,
            Problem::Request => Rejection::BrokenBody,
            Problem::TooLarge => Rejection::TooLarge { service: instance.service.clone() },
            Problem::Instance(failure, problem) => Rejection::Instance { instance, failure, problem },
            Problem::Stale(problem) => Rejection::Instance { instance, failure: Failure::BrokenOff, problem },
        };
        let is_kept = self.body.is_done() && !self.closes && !self.connection.stop.is_now();
        let page = self.plane.refuse(&rejection, &method, arrived);
        self.connection.upstream.output.clear();
        put_page(self.connection.output.bytes(), page, is_kept).await;
        self.connection.finish_page(is_kept).await
    }

    /// The head of the response, which is then in the output for the client, and the line that it came over.
    async fn respond(
        &mut self,
        pool: &SocketPool,
        admission: &Admission,
        method: &Method,
    ) -> Result<(Line, Answer), Problem> {
        let Connection { input, upstream, .. } = &mut *self.connection;
        upstream.input.consume(upstream.input.len());
        // A body that was sent is gone, also one that was small: as on the other way.
        let is_repeatable = self.body.is_done() && method.is_idempotent();
        self.body.begin(input, &mut upstream.output).map_err(Problem::of_request)?;
        let mut idle = upstream::idle(pool, is_repeatable);
        loop {
            let mut line = match idle.take() {
                Some(line) => line,
                None => self.connect(pool, admission).await?,
            };
            match self.head(&mut line.stream, admission, method).await {
                Ok(answer) => return Ok((line, answer)),
                Err(Problem::Stale(_)) if line.is_used && is_repeatable => {
                    self.connection.upstream.output.rewind();
                    self.is_refused = false;
                }
                Err(problem) => return Err(problem),
            }
        }
    }

    async fn connect(&mut self, pool: &SocketPool, admission: &Admission) -> Result<Line, Problem> {
        let mut connecting = pin!(upstream::connect(pool));
        poll_fn(|cx| {
            if let Poll::Ready(line) = connecting.as_mut().poll(cx) {
                return Poll::Ready(line.map_err(|problem| {
                    let authority = pool.upstream().authority();
                    let why = format!("cannot connect to {authority}: {problem}");
                    Problem::Instance(Failure::Unreachable, why)
                }));
            }
            self.poll_client(cx)?;
            self.poll_time(cx, admission, false)
        })
        .await
    }

    async fn head(
        &mut self,
        stream: &mut TcpStream,
        admission: &Admission,
        method: &Method,
    ) -> Result<Answer, Problem> {
        poll_fn(|cx| {
            self.poll_request(cx, stream)?;
            if let Poll::Ready(answer) = self.poll_head(cx, stream, admission, method) {
                return Poll::Ready(answer);
            }
            let Connection { input, upstream, .. } = &*self.connection;
            let waits_for_client = !self.body.is_done() && upstream.output.is_sent() && input.is_empty();
            self.poll_time(cx, admission, waits_for_client)
        })
        .await
    }

    /// Sends the request, or else looks whether the client is still there.
    fn poll_request(&mut self, cx: &mut Context<'_>, to: &mut TcpStream) -> Result<(), Problem> {
        if !self.is_through() && !self.is_refused {
            let Connection { io, input, upstream, .. } = &mut *self.connection;
            let into = (&mut upstream.output, to);
            match self.body.poll_pass(cx, (io, input), into, &mut self.has_moved) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(())) => {}
                // It may have answered before, and closed.
                Poll::Ready(Err(Broken::Sink)) => self.is_refused = true,
                Poll::Ready(Err(broken)) => return Err(Problem::of_request(broken)),
            }
        }
        self.poll_client(cx)
    }

    /// Whether the client has gone away; what it sends ahead is kept.
    fn poll_client(&mut self, cx: &mut Context<'_>) -> Result<(), Problem> {
        let Connection { io, input, .. } = &mut *self.connection;
        while input.len() < PIPELINED {
            match input.poll_fill(cx, io, PIPELINED) {
                Poll::Pending => break,
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(_) => return Err(Problem::Client),
            }
        }
        Ok(())
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut TcpStream,
        admission: &Admission,
        method: &Method,
    ) -> Poll<Result<Answer, Problem>> {
        loop {
            self.closes |= self.connection.stop.is_now();
            let closes = self.closes || !self.is_through();
            let Connection { io, output, upstream, .. } = &mut *self.connection;
            // What is said in advance does not wait for the response.
            if !output.is_sent() && matches!(output.poll_send(cx, io), Poll::Ready(Err(_))) {
                return Poll::Ready(Err(Problem::Client));
            }
            let manner = Manner { trace: &admission.trace, method: method.as_str(), closes };
            match take_head(upstream, output, manner) {
                Err(problem) => return Poll::Ready(Err(problem)),
                Ok(Read::Partial) => {}
                Ok(Read::Interim(_)) => {
                    self.has_begun = true;
                    continue;
                }
                Ok(Read::Head(_, answer)) => {
                    self.closes = closes;
                    return Poll::Ready(Ok(answer));
                }
            }
            self.has_begun |= !upstream.input.is_empty();
            match upstream.input.poll_fill(cx, from, response::MAX_HEAD * 2) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(read) => {
                    let how =
                        read.err().map_or_else(|| "it was closed".to_owned(), |error| error.to_string());
                    let why = format!(
                        "the connection to the instance broke off before there was a response: {how}"
                    );
                    return Poll::Ready(Err(match self.has_begun {
                        true => Problem::Instance(Failure::BrokenOff, why),
                        false => Problem::Stale(why),
                    }));
                }
            }
        }
    }

    /// Passes the body of the response on, and the rest of the request.
    async fn relay(mut self, pool: &Arc<SocketPool>, mut line: Line, mut answer: Answer) -> After {
        let Connection { output, upstream, .. } = &mut *self.connection;
        if answer.body.begin(&mut upstream.input, output).is_err() {
            // It is broken behind its head, however soon that is known.
            self.connection.send().await;
            return After::Cut;
        }
        let relayed: Result<(), Problem> = poll_fn(|cx| {
            self.poll_request(cx, &mut line.stream)?;
            let Connection { io, output, upstream, patience, .. } = &mut *self.connection;
            let from = (&mut line.stream, &mut upstream.input);
            match answer.body.poll_pass(cx, from, (&mut *output, io), &mut self.has_moved) {
                Poll::Ready(passed) => return Poll::Ready(passed.map_err(|_| Problem::Client)),
                Poll::Pending => {}
            }
            // What the instance still has to say is waited for; the client that does not listen is not.
            let waits_for_client = !output.is_sent() || !upstream.input.is_empty();
            match patience.poll(cx) {
                Time::Left => Poll::Pending,
                Time::Look if !self.stalls(waits_for_client) => Poll::Pending,
                Time::Look | Time::Over => Poll::Ready(Err(Problem::Client)),
            }
        })
        .await;
        if relayed.is_err() {
            return After::Cut;
        }
        let is_through = self.is_through() && !self.is_refused;
        if is_through && answer.is_kept && self.connection.upstream.input.is_empty() {
            pool.put(line.stream);
        }
        if is_through && !self.closes { After::Next } else { After::Linger }
    }

    /// Whether all of the request was sent.
    fn is_through(&self) -> bool {
        self.body.is_done() && self.connection.upstream.output.is_sent()
    }

    fn poll_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        admission: &Admission,
        waits_for_client: bool,
    ) -> Poll<Result<T, Problem>> {
        match self.connection.patience.poll(cx) {
            Time::Left => Poll::Pending,
            Time::Look if !self.stalls(waits_for_client) => Poll::Pending,
            Time::Look => Poll::Ready(Err(Problem::Client)),
            Time::Over => {
                let seconds = admission.instance.timeout_seconds;
                let why = format!("no response within the {seconds} s that a request may take");
                Poll::Ready(Err(Problem::Instance(Failure::TimedOut, why)))
            }
        }
    }

    /// Whether a client on whom it depends has let two looks pass without a byte.
    fn stalls(&mut self, waits_for_client: bool) -> bool {
        let is_still = waits_for_client && !self.has_moved;
        let stalls = is_still && self.has_stalled;
        (self.has_moved, self.has_stalled) = (false, is_still);
        stalls
    }
}

/// Reads the head of a response, and puts it into the output as the client is to see it.
fn take_head(
    upstream: &mut Upstream,
    output: &mut super::buffer::Output,
    manner: Manner<'_>,
) -> Result<Read, Problem> {
    if upstream.input.is_empty() {
        return Ok(Read::Partial);
    }
    let out = output.bytes();
    let before = out.len();
    let read = response::pass(upstream.input.as_slice(), out, manner);
    match &read {
        Ok(Read::Partial) => {}
        Ok(Read::Interim(length) | Read::Head(length, _)) => upstream.input.consume(*length),
        Err(_) => out.truncate(before),
    }
    read.map_err(|fault| match fault {
        Fault::Malformed(why) => Problem::Instance(Failure::Malformed, why.to_owned()),
        Fault::TooLarge(bytes) => {
            let why = RespondError::ResponseTooLarge { bytes }.to_string();
            Problem::Instance(Failure::ResponseTooLarge, why)
        }
    })
}

impl Problem {
    fn of_request(broken: Broken) -> Self {
        match broken {
            Broken::Malformed => Self::Request,
            Broken::TooLarge => Self::TooLarge,
            Broken::Source | Broken::Sink => Self::Client,
        }
    }
}
