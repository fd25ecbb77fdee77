//! What comes of bytes that two servers could read in two ways: at the client, and at the instance?

use std::fmt::Write as _;
use std::time::Duration;

use groundrun_model::rule::{RuleEntry, Rules};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::recorder::{Recorder, Seen};
use crate::strict_http1::{Message, Side, messages};
use crate::{World, at};

/// What would be let in by mistake: it shows no token.
pub const TAIL: &str = "GET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n";

/// The GET of [`get`] alone.
pub const ONE: Want = Want::Passed(&[200], &[("GET /", "")]);
/// The POST of [`post`] with a body of five bytes.
pub const HELLO: Want = Want::Passed(&[200], &[("POST /", "hello")]);

/// A GET with these further headers.
pub fn get(headers: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {{host}}\r\n{{auth}}\r\n{headers}\r\n")
}

/// A POST with these headers and what comes behind them, and a request that nobody is to see.
pub fn post(headers: &str, rest: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: {{host}}\r\n{{auth}}\r\n{headers}\r\n{rest}")
}

/// A POST in these chunks.
pub fn chunked(rest: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", rest)
}

/// How long a connection may stay open that should end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to come of a connection.
#[derive(Debug, Clone, Copy)]
pub enum Want {
    /// One answer, 400, the connection ends, and no instance has seen a whole request.
    Refused,
    /// As [`Want::Refused`], or with this other status.
    RefusedAs(u16),
    /// Answers with these statuses, and the instance saw requests with these methods, targets and bodies.
    Passed(&'static [u16], &'static [(&'static str, &'static str)]),
    /// Refused, or passed as one request with this body.
    RefusedOrOne(&'static str),
}

/// Two private services behind one instance that notes everything, and a caller who may call the first.
#[derive(Debug)]
pub struct Place {
    /// The emulator.
    pub world: World,
    /// The instance.
    pub recorder: Recorder,
    /// The host of the service that may be called.
    pub host: String,
    /// The host of the other service.
    pub other: String,
    /// The token of the caller.
    pub token: String,
}

impl Place {
    /// Starts them.
    pub async fn new() -> Self {
        let recorder = Recorder::start().await;
        let entry = RuleEntry { image: "*".to_owned(), url: recorder.url() };
        let rules = Rules::read(&[entry]).unwrap();
        let world = World::with(|options| options.rules = rules).await;
        let mut urls = Vec::new();
        for name in ["hello", "other"] {
            let service = world.deploy(name).await;
            urls.push(at(&service, "/status/url").as_str().unwrap().to_owned());
        }
        world.owner().grant("hello").await;
        let token = world.invoker().token(&urls[0]).await;
        // Without the port, so that no port is what is wrong with a host.
        let [host, other] =
            [0, 1].map(|nth| urls[nth]["http://".len()..].split(':').next().unwrap().to_owned());
        Self { world, recorder, host, other, token }
    }

    /// Sends bytes and reads until the connection ends.
    pub async fn send(&self, text: &str) -> Result<Vec<u8>, String> {
        let bytes = text
            .replace("{host}", &self.host)
            .replace("{other}", &self.other)
            .replace("{auth}", &format!("Authorization: Bearer {}", self.token))
            .replace("{token}", &self.token);
        // A character stands for a byte.
        let bytes: Vec<u8> = bytes.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let mut answer = Vec::new();
        let exchange = async {
            let mut stream = TcpStream::connect(self.world.address()).await.unwrap();
            // Who refuses early may stop reading.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read_to_end(&mut answer).await;
        };
        match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(()) => Ok(answer),
            Err(_) => Err(format!(
                "the connection stays open after {}",
                answer.get(..12).unwrap_or_default().escape_ascii()
            )),
        }
    }

    /// What is wrong with what came of these bytes.
    pub async fn check(&self, text: &str, want: Want) -> Result<(), String> {
        let answer = self.send(text).await;
        let (mut asked, mut cut) = (Vec::new(), Vec::new());
        for seen in self.recorder.take() {
            match seen {
                Seen::Request(message) => asked.push(message),
                Seen::CutOff(head) => cut.push(head),
                Seen::Garbage(why, bytes) => {
                    return Err(format!("the instance saw garbage, {why}: {}", bytes.escape_ascii()));
                }
            }
        }
        for message in asked.iter().chain(&cut) {
            self.is_clean(message)?;
        }
        let answer = answer?;
        let answers = messages(Side::Responses, &answer)?;
        let statuses: Vec<u16> =
            answers.iter().map(Message::status).filter(|status| *status >= 200).collect();
        let seen: Vec<(&str, String)> =
            asked.iter().map(|one| (one.asks(), one.body.escape_ascii().to_string())).collect();
        let is_refused = |status: u16| statuses == [status] && seen.is_empty();
        let is_passed = |wanted: &[u16], requests: &[(&str, &str)]| {
            let requests = requests.iter().map(|(asks, body)| (*asks, body.escape_default().to_string()));
            statuses == wanted && seen.iter().cloned().eq(requests)
        };
        let good = match want {
            Want::Refused => is_refused(400),
            Want::RefusedAs(status) => is_refused(400) || is_refused(status),
            Want::Passed(wanted, requests) => is_passed(wanted, requests),
            Want::RefusedOrOne(body) => is_refused(400) || is_passed(&[200], &[("POST /", body)]),
        };
        let said = || format!("answered {statuses:?}, the instance saw {seen:?}, wanted {want:?}");
        if good { Ok(()) } else { Err(said()) }
    }

    /// What holds for whatever an instance sees.
    fn is_clean(&self, message: &Message) -> Result<(), String> {
        let hosts: Vec<&str> = message.values("host").collect();
        let trailers = ["host", "content-length", "transfer-encoding", "authorization"];
        let forbidden = |name: &str| {
            trailers.contains(&name.to_ascii_lowercase().as_str())
                || name.eq_ignore_ascii_case("x-serverless-authorization")
        };
        if message.asks().contains("smuggled") {
            return Err(format!("the instance saw {}", message.start));
        }
        if hosts != [self.host.as_str()] {
            return Err(format!("the instance saw the hosts {hosts:?}"));
        }
        if let Some((name, _)) = message.trailers.iter().find(|(name, _)| forbidden(name)) {
            return Err(format!("the instance saw the trailer {name}"));
        }
        let signature = self.token.rsplit('.').next().unwrap();
        if message.values("authorization").any(|value| value.contains(signature)) {
            return Err("the instance saw a signature".to_owned());
        }
        Ok(())
    }

    /// Checks a table, and shows everything that is wrong at once.
    pub async fn check_all(&self, rows: &[(&str, String, Want)]) {
        let mut wrong = String::new();
        for (what, text, want) in rows {
            if let Err(problem) = self.check(text, *want).await {
                writeln!(wrong, "{what}: {problem}").unwrap();
            }
        }
        assert!(wrong.is_empty(), "\n{wrong}");
        // Whatever was tried, others are served.
        let fine = "GET / HTTP/1.1\r\nHost: {host}\r\n{auth}\r\nConnection: close\r\n\r\n";
        self.check(fine, Want::Passed(&[200], &[("GET /", "")])).await.unwrap();
    }
}
