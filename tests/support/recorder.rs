//! What does an instance get, byte for byte?

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::strict_http1::{Message, Read, Side};

/// What came over a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A whole request.
    Request(Message),
    /// The head of a request whose body never came to its end.
    CutOff(Message),
    /// What is no request, and why.
    Garbage(String, Vec<u8>),
}

/// A server that notes everything it is sent and answers each whole request with 200.
#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    serving: JoinHandle<()>,
}

impl Recorder {
    /// A server at a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let noted = Arc::clone(&seen);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(record(stream, Arc::clone(&noted)));
            }
        });
        Self { address, seen, serving }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came since this was asked last. A request is noted before it is answered.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn record(mut stream: TcpStream, seen: Arc<Mutex<Vec<Seen>>>) {
    let note = |what: Seen| seen.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    let mut bytes = Vec::new();
    loop {
        let head = match Message::read(Side::Requests, &bytes) {
            Ok(Read::Whole(message, length)) => {
                bytes.drain(..length);
                note(Seen::Request(message));
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\nseen";
                if stream.write_all(answer).await.is_err() {
                    return;
                }
                continue;
            }
            Ok(Read::Part(head)) => head,
            Err(why) => return note(Seen::Garbage(why, bytes)),
        };
        if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
            match head {
                Some(head) => note(Seen::CutOff(head)),
                None if !bytes.is_empty() => note(Seen::Garbage("half a head".to_owned(), bytes)),
                None => (),
            }
            return;
        }
    }
}
