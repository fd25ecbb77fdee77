//! What does an instance see of a request that hyper has not read?
//!
//! The same as of one that hyper has: the rules are those of `headers`, by the same functions of the model.

use std::fmt::Write as _;
use std::net::IpAddr;

use groundrun_model::invoke::CredentialHeader;
use groundrun_model::request::{self, TraceContext, headers as rules};
use http::header::TE;

use super::body::{push_header, push_length, push_name};
use super::judge::{Framing, Head};
use crate::data_plane::Admission;
use crate::head::RequestHead as _;

/// The address of a client, as the headers of its requests spell it.
#[derive(Debug)]
pub(super) struct Spelled {
    /// In `X-Forwarded-For`.
    address: String,
    /// The value of `Forwarded`.
    forwarded: String,
}

impl Spelled {
    pub(super) fn new(peer: IpAddr) -> Self {
        let mut address = String::new();
        // Writing to a String does not fail.
        let _ = write!(address, "{}", peer.to_canonical());
        Self { address, forwarded: request::forwarded(peer) }
    }
}

/// What was found of a request that is forwarded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admitted<'a> {
    /// The header that was looked at.
    pub(super) checked: Option<CredentialHeader>,
    /// Whether there was a token in it, and a good one.
    pub(super) is_verified: bool,
    pub(super) trace: &'a TraceContext,
}

impl<'a> From<&'a Admission> for Admitted<'a> {
    fn from(admission: &'a Admission) -> Self {
        let Admission { checked, verified, trace, .. } = admission;
        Self { checked: *checked, is_verified: verified.is_some(), trace }
    }
}

/// Puts the head that an instance is to see behind `out`.
pub(super) fn push(
    out: &mut Vec<u8>,
    head: &Head<'_, '_>,
    Admitted { checked, is_verified, trace }: Admitted<'_>,
    client: &Spelled,
) {
    push_line(out, head);
    let keeps_te = rules::keeps_te(head.values(&TE));
    for header in head.headers {
        let (name, value) = (header.name, header.value);
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if rules::is_told_to_instances(name)
            || rules::is_hop_by_hop(name)
            || is("content-length")
            || (is("te") && !keeps_te)
            || (rules::may_be_named(name) && is_named(head, name))
        {
            continue;
        }
        if let Some(header) = rules::credential_to_hide(name, checked) {
            push_name(out, name);
            if is_verified && Some(header) == checked {
                request::push_without_signature_of_verified(out, value);
            } else {
                request::push_without_signatures(out, value);
            }
            out.extend_from_slice(b"\r\n");
        } else {
            push_header(out, name, value);
        }
    }
    push_own(out, head, trace, client);
}

/// The method and the target, without needless escapes in its path.
fn push_line(out: &mut Vec<u8>, head: &Head<'_, '_>) {
    let path = head.path();
    out.extend_from_slice(head.method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(request::without_needless_escapes(path).as_bytes());
    out.extend_from_slice(&head.target.as_bytes()[path.len()..]);
    out.extend_from_slice(b" HTTP/1.1\r\n");
}

/// What the front end says, and how long the body is.
fn push_own(out: &mut Vec<u8>, head: &Head<'_, '_>, trace: &TraceContext, client: &Spelled) {
    push_name(out, rules::FORWARDED_FOR);
    let is_sent = |name: &str| name.eq_ignore_ascii_case(rules::FORWARDED_FOR) && !is_named(head, name);
    let sent = head.headers.iter().filter(|header| is_sent(header.name)).map(|header| header.value);
    request::push_forwarded_for(out, sent, &client.address);
    out.extend_from_slice(b"\r\n");
    push_header(out, rules::FORWARDED_PROTO, rules::SPOKEN.as_bytes());
    push_header(out, rules::FORWARDED, client.forwarded.as_bytes());
    push_name(out, rules::CLOUD_TRACE);
    trace.push_cloud(out);
    out.extend_from_slice(b"\r\n");
    push_name(out, rules::TRACEPARENT);
    trace.push_traceparent(out);
    out.extend_from_slice(b"\r\n");
    match head.framing {
        Framing::None => {}
        Framing::Length(length) => push_length(out, length),
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
    }
    out.extend_from_slice(b"\r\n");
}

/// Whether `Connection` names the header, which then is for this connection only.
fn is_named(head: &Head<'_, '_>, name: &str) -> bool {
    head.names_more && lists_in_connection(head.headers, name)
}

/// Whether a `Connection` among `headers` names this one.
pub(super) fn lists_in_connection(headers: &[httparse::Header<'_>], name: &str) -> bool {
    let mut lists = headers.iter().filter(|header| header.name.eq_ignore_ascii_case("connection"));
    lists.any(|header| rules::names(header.value, name))
}
