//! What comes of HTTP/2 that is none, or too much of it?
//!
//! In the manner of h2spec: frames as bytes, and the error code that RFC 9113 has for them. Where the HTTP/2
//! of hyper is laxer, the expectation is what it does, and a comment says so. Whatever is tried, no instance
//! sees a request that is not well-formed, and others are served.

use groundrun_tests::h2_frames::{Outcome, PREFACE, flag, frame, kind, literals, outcome};
use groundrun_tests::h2_table::{
    CALM, COMPRESSION, END, FLOW_CONTROL, FRAME_SIZE, PATIENCE, PROTOCOL, REFUSED, STREAM_CLOSED,
};
use groundrun_tests::smuggling::Place;

use Outcome::{Closed, GoAway, Reset, Status};

/// The code for whatever is wrong in a frame as such. RFC 9113 has FRAME_SIZE_ERROR, COMPRESSION_ERROR and
/// FLOW_CONTROL_ERROR for some of it; hyper calls it all a PROTOCOL_ERROR.
const MALFORMED: u32 = PROTOCOL;

#[tokio::test]
async fn frames_are_as_they_must_be() {
    let place = Place::new().await;
    let settings = |id: u16, value: u32| {
        frame(kind::SETTINGS, 0, 0, &[&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
    };
    let block = place.block("GET", |_| ());
    let padded = [&[255][..], &block[..50]].concat();
    place
        .check_frames(vec![
            ("a request", place.get(1), &[Status(200)]),
            (
                "DATA of more than 16 KiB",
                [place.open(1, &[]), frame(kind::DATA, 0, 1, &[0; 16_385])].concat(),
                &[GoAway(FRAME_SIZE)],
            ),
            (
                "HEADERS of more than 16 KiB",
                frame(kind::HEADERS, END, 1, &[0; 16_385]),
                &[GoAway(FRAME_SIZE)],
            ),
            (
                "a frame of 16 MiB",
                [&[255, 255, 255, kind::DATA, 0, 0, 0, 0, 1][..], &[0; 1000]].concat(),
                &[GoAway(FRAME_SIZE)],
            ),
            ("a type that nobody knows", [frame(0xbb, 0xff, 1, b"x"), place.get(1)].concat(), &[Status(200)]),
            (
                "flags that nobody knows",
                frame(kind::HEADERS, END | 0xd2, 1, &block),
                &[Status(200), GoAway(PROTOCOL), GoAway(COMPRESSION)],
            ),
            (
                "padding longer than the frame",
                frame(kind::HEADERS, END | flag::PADDED, 1, &padded),
                &[GoAway(PROTOCOL)],
            ),
            (
                "padded DATA, too",
                [place.open(1, &[]), frame(kind::DATA, flag::PADDED, 1, &[9, 0])].concat(),
                &[GoAway(PROTOCOL)],
            ),
            (
                "a length of SETTINGS that is no multiple of 6",
                frame(kind::SETTINGS, 0, 0, &[0; 5]),
                &[GoAway(MALFORMED)],
            ),
            (
                "SETTINGS that acknowledge something",
                frame(kind::SETTINGS, flag::ACK, 0, &[0; 6]),
                &[GoAway(MALFORMED)],
            ),
            ("SETTINGS of a stream", frame(kind::SETTINGS, 0, 1, &[]), &[GoAway(PROTOCOL)]),
            ("push of 2", settings(2, 2), &[GoAway(PROTOCOL)]),
            ("a window of 2^31", settings(4, 1 << 31), &[GoAway(MALFORMED)]),
            ("frames of 1 byte", settings(5, 1), &[GoAway(PROTOCOL)]),
            ("frames of 2^24 bytes", settings(5, 1 << 24), &[GoAway(PROTOCOL)]),
            ("a setting that nobody knows", [settings(0xbbb, 1), place.get(1)].concat(), &[Status(200)]),
            ("PING of 7 bytes", frame(kind::PING, 0, 0, &[0; 7]), &[GoAway(MALFORMED)]),
            ("PING of a stream", frame(kind::PING, 0, 1, &[0; 8]), &[GoAway(PROTOCOL)]),
            ("GOAWAY of a stream", frame(kind::GOAWAY, 0, 1, &[0; 8]), &[GoAway(PROTOCOL)]),
            (
                "RST_STREAM of 3 bytes",
                [place.open(1, &[]), frame(kind::RST_STREAM, 0, 1, &[0; 3])].concat(),
                &[GoAway(MALFORMED)],
            ),
            ("WINDOW_UPDATE of 3 bytes", frame(kind::WINDOW_UPDATE, 0, 0, &[0; 3]), &[GoAway(MALFORMED)]),
            (
                "PUSH_PROMISE from a client",
                frame(kind::PUSH_PROMISE, flag::END_HEADERS, 1, &[0, 0, 0, 2]),
                &[GoAway(PROTOCOL)],
            ),
            ("no HPACK", frame(kind::HEADERS, END, 1, &[0xff; 64]), &[GoAway(MALFORMED)]),
            (
                "an index beyond the table",
                frame(kind::HEADERS, END, 1, &[0xff, 0x80, 0x01]),
                &[GoAway(MALFORMED)],
            ),
            ("half a literal", frame(kind::HEADERS, END, 1, &block[..block.len() - 3]), &[GoAway(MALFORMED)]),
            (
                "a table larger than allowed",
                frame(kind::HEADERS, END, 1, &[0x3f, 0xff, 0xff, 0xff, 0x0f]),
                &[GoAway(MALFORMED)],
            ),
        ])
        .await;
}

#[tokio::test]
async fn streams_are_begun_in_order_and_ended_once() {
    let place = Place::new().await;
    let update = |stream: u32, by: u32| frame(kind::WINDOW_UPDATE, 0, stream, &by.to_be_bytes());
    let data = |stream: u32, flags: u8, bytes: &[u8]| frame(kind::DATA, flags, stream, bytes);
    let half = frame(kind::HEADERS, flag::END_STREAM, 1, &place.block("GET", |_| ()));
    let open = || place.open(1, &[]);
    place
        .check_frames(vec![
            ("stream 0", place.get(0), &[GoAway(PROTOCOL)]),
            ("a stream of the server's", place.get(2), &[GoAway(PROTOCOL)]),
            (
                "a lower stream",
                [place.open(5, &[]), place.get(3)].concat(),
                &[GoAway(PROTOCOL), GoAway(STREAM_CLOSED)],
            ),
            ("DATA before HEADERS", data(1, 0, b"x"), &[GoAway(PROTOCOL)]),
            ("DATA of stream 0", data(0, 0, b"x"), &[GoAway(PROTOCOL)]),
            ("RST_STREAM before HEADERS", frame(kind::RST_STREAM, 0, 1, &[0; 4]), &[GoAway(PROTOCOL)]),
            ("WINDOW_UPDATE before HEADERS", update(1, 1), &[GoAway(PROTOCOL)]),
            (
                "CONTINUATION without HEADERS",
                frame(kind::CONTINUATION, flag::END_HEADERS, 1, &[]),
                &[GoAway(PROTOCOL)],
            ),
            (
                "PING between the headers",
                [half.clone(), frame(kind::PING, 0, 0, &[0; 8])].concat(),
                &[GoAway(PROTOCOL)],
            ),
            ("HEADERS between the headers", [half.clone(), place.get(3)].concat(), &[GoAway(PROTOCOL)]),
            (
                "CONTINUATION of another stream",
                [half.clone(), frame(kind::CONTINUATION, flag::END_HEADERS, 3, &[])].concat(),
                &[GoAway(PROTOCOL)],
            ),
            (
                "an empty CONTINUATION",
                [half.clone(), frame(kind::CONTINUATION, flag::END_HEADERS, 1, &[])].concat(),
                &[Status(200)],
            ),
            (
                "DATA behind the end",
                [open(), data(1, flag::END_STREAM, b""), data(1, 0, b"x")].concat(),
                &[Status(200), Reset(STREAM_CLOSED), GoAway(STREAM_CLOSED), GoAway(PROTOCOL)],
            ),
            (
                "HEADERS behind the end",
                [place.get(1), place.get(1)].concat(),
                &[Status(200), Reset(STREAM_CLOSED), GoAway(STREAM_CLOSED), GoAway(PROTOCOL)],
            ),
            ("a window of more than 2^31", update(0, 0x7fff_ffff), &[GoAway(FLOW_CONTROL)]),
            (
                "a window of a stream, too",
                [open(), update(1, 0x7fff_ffff)].concat(),
                &[Reset(FLOW_CONTROL), GoAway(FLOW_CONTROL)],
            ),
            ("an increment of 0", update(0, 0), &[GoAway(PROTOCOL)]),
            (
                "an increment of 0 of a stream",
                [open(), update(1, 0)].concat(),
                &[Reset(PROTOCOL), GoAway(PROTOCOL)],
            ),
            (
                "a stream that depends on itself",
                [frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 1, 0]), place.get(1)].concat(),
                &[Reset(PROTOCOL), GoAway(PROTOCOL), Status(200)],
            ),
            ("more than was allowed", flooded(&place), &[GoAway(FLOW_CONTROL), Reset(FLOW_CONTROL)]),
        ])
        .await;
}

/// A body that heeds no window: 64 MiB, whatever the server's settings are.
fn flooded(place: &Place) -> Vec<u8> {
    [place.open(1, &[]), frame(kind::DATA, 0, 1, &[0; 16_384]).repeat(4096)].concat()
}

#[tokio::test]
async fn a_flood_ends_the_connection_or_nothing() {
    let place = Place::new().await;
    let block = place.block("GET", |_| ());
    let unfinished = frame(kind::HEADERS, flag::END_STREAM, 1, &block);
    let more = |bytes: &[u8]| frame(kind::CONTINUATION, 0, 1, bytes);
    let filler = literals(&[("x", "y".repeat(1000))]);
    let reset: Vec<u8> = (0..20_000_u32)
        .flat_map(|nth| {
            [place.open(2 * nth + 1, &[]), frame(kind::RST_STREAM, 0, 2 * nth + 1, &[0, 0, 0, 8])].concat()
        })
        .collect();
    let opened: Vec<u8> = (0..1000_u32).flat_map(|nth| place.open(2 * nth + 1, &[])).collect();
    let empty =
        [place.open(1, &[]), frame(kind::DATA, 0, 1, b"").repeat(100_000), frame(kind::DATA, 1, 1, b"")]
            .concat();
    let headers = place.request(|all| all.extend((0..300).map(|nth| (format!("x-{nth}"), "y".repeat(40)))));
    place
        .check_frames(vec![
            (
                "CONTINUATION",
                [unfinished.clone(), more(&filler).repeat(10_000)].concat(),
                &[GoAway(CALM), GoAway(PROTOCOL), GoAway(COMPRESSION), Closed],
            ),
            (
                "empty CONTINUATION",
                [unfinished, more(b"").repeat(100_000)].concat(),
                &[GoAway(CALM), GoAway(PROTOCOL), Closed],
            ),
            ("streams that are reset at once", reset, &[GoAway(CALM), Reset(REFUSED)]),
            ("streams without end", opened, &[Reset(REFUSED), GoAway(CALM)]),
            // These cost the server an answer each, which waits until the client reads it.
            (
                "SETTINGS",
                [frame(kind::SETTINGS, 0, 0, &[]).repeat(50_000), place.get(1)].concat(),
                &[Status(200), GoAway(CALM)],
            ),
            (
                "PING",
                [frame(kind::PING, 0, 0, &[7; 8]).repeat(50_000), place.get(1)].concat(),
                &[Status(200), GoAway(CALM)],
            ),
            ("empty DATA", empty, &[Status(200), GoAway(CALM)]),
            ("headers", headers, &[Status(431), Status(200), Reset(PROTOCOL)]),
        ])
        .await;
}

#[tokio::test]
async fn what_does_not_begin_as_http2_is_none() {
    let place = Place::new().await;
    let settings = frame(kind::SETTINGS, 0, 0, &[]);
    for (what, bytes) in [
        ("a preface that ends otherwise", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_vec()),
        ("a preface of HTTP/2.1", b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n".to_vec()),
        ("a preface that is nothing", vec![0xff; 64]),
        ("the preface twice", [PREFACE, PREFACE, &settings].concat()),
    ] {
        let came = outcome(place.world.address(), &bytes, PATIENCE).await;
        let ends = matches!(came, Closed | GoAway(PROTOCOL | FRAME_SIZE));
        assert!(ends, "{what}: {came:?}");
        assert_eq!(place.recorder.take(), [], "{what}");
        place.serves_others(what).await;
    }
    // RFC 9113, section 3.4, wants settings first; hyper does not insist.
    let bare = [PREFACE, &place.get(1)].concat();
    assert_eq!(outcome(place.world.address(), &bare, PATIENCE).await, Status(200));
}
