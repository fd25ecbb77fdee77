//! Is each answer one that was right at some moment while it was under way?
//!
//! A writer changes everything about a service, one write at a time, and notes when each began and when it
//! was answered. Meanwhile clients call on connections that stay open, with credentials that are good, bad
//! or on their way between. A response must fit a state that was possible between the moments when its
//! request was sent and when it was read: the old one until a write is answered, the new one from when it
//! begins. Nothing else may come, and no request may be dropped.
//!
//! `GROUNDRUN_UNDER_CHANGE_SECONDS` says how long; `.ci/nightly` runs it for minutes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use groundrun_engine::OWNER_TOKEN;
use groundrun_model::rule::{RuleEntry, Rules};
use groundrun_tests::strict_http1::{Message, Read, Side};
use groundrun_tests::{AUDIENCES, Client, Owner, World, at, foreign_jwt, revision_name};
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How many instances there are: revisions with the same one are far apart in time.
const INSTANCES: usize = 24;

/// How many clients call at once.
const CLIENTS: u64 = 4;

const SERVICE: &str = "hello";

const AUDIENCE: &str = "https://custom.example.test";

/// What of the service is under change.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    /// Whether the caller may invoke it; another one always may.
    member: bool,
    /// Whether the custom audience is accepted.
    audience: bool,
    /// The instances that requests are drawn from.
    traffic: Vec<usize>,
    /// Where the tag leads.
    tag: Option<usize>,
}

/// A state and when it was written.
struct Write {
    state: State,
    began: Instant,
    answered: Option<Instant>,
}

/// Who calls, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// An account that is always bound: it may never be refused.
    Steady,
    /// One that is bound now and then.
    Member,
    /// The steady one at the host of the tag.
    Tag,
    /// The steady one with a token for the custom audience.
    Audience,
    /// An account that is never bound.
    Stranger,
    /// Nobody.
    Anonymous,
    /// The steady one with a token whose signature is altered.
    Altered,
    /// A token that another key signed.
    Foreign,
}

const KINDS: [Kind; 8] = [
    Kind::Steady,
    Kind::Member,
    Kind::Tag,
    Kind::Audience,
    Kind::Stranger,
    Kind::Anonymous,
    Kind::Altered,
    Kind::Foreign,
];

/// The tokens of a moment. Those of before a rotation stay good for an hour.
#[derive(Debug, Clone, Default)]
struct Tokens(BTreeMap<Kind, String>);

impl State {
    /// Whether this answer to a caller of this kind is right: a status, and the instance behind a 200.
    fn allows(&self, kind: Kind, status: u16, instance: Option<usize>) -> bool {
        let one_of = |instances: &[usize]| {
            status == 200 && instance.is_some_and(|instance| instances.contains(&instance))
        };
        match kind {
            Kind::Steady => one_of(&self.traffic),
            Kind::Member if self.member => one_of(&self.traffic),
            Kind::Tag => match self.tag {
                Some(tag) => one_of(&[tag]),
                None => status == 404,
            },
            Kind::Audience if self.audience => one_of(&self.traffic),
            Kind::Member | Kind::Stranger | Kind::Anonymous => status == 403,
            Kind::Audience | Kind::Altered | Kind::Foreign => status == 401,
        }
    }
}

/// What the clients and the writer share.
struct Shared {
    address: SocketAddr,
    host: String,
    tokens: RwLock<Arc<Tokens>>,
    writes: Mutex<Vec<Write>>,
    ends: AtomicBool,
    answers: AtomicU64,
    /// How often each kind of caller got each status.
    counts: Mutex<BTreeMap<(Kind, u16), u64>>,
    wrong: Mutex<Vec<String>>,
}

impl Shared {
    /// Notes what is wrong with an answer, if anything is.
    fn judge(&self, kind: Kind, sent: Instant, status: u16, instance: Option<usize>) {
        let received = Instant::now();
        self.answers.fetch_add(1, Ordering::Relaxed);
        *self.counts.lock().unwrap().entry((kind, status)).or_default() += 1;
        let fault = fault(&self.writes.lock().unwrap(), kind, sent, received, status, instance);
        self.wrong.lock().unwrap().extend(fault);
    }

    fn dropped(&self, kind: Kind, why: &str) {
        self.wrong.lock().unwrap().push(format!("{kind:?}: a request was dropped: {why}"));
    }
}

/// What is wrong with an answer, if anything is.
fn fault(
    writes: &[Write],
    kind: Kind,
    sent: Instant,
    received: Instant,
    status: u16,
    instance: Option<usize>,
) -> Option<String> {
    let mut possible = Vec::new();
    for write in writes.iter().rev() {
        if write.began <= received {
            possible.push(&write.state);
        }
        // What was there before is gone once this write was answered.
        if write.answered.is_some_and(|answered| answered < sent) {
            break;
        }
    }
    let is_right = possible.iter().any(|state| state.allows(kind, status, instance));
    (!is_right).then(|| format!("{kind:?} got {status} from {instance:?}, possible: {possible:?}"))
}

/// An instance that says who it is, on connections that stay open.
async fn instance(nth: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                let body = nth.to_string();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                while let Ok(1..) = stream.read_buf(&mut bytes).await {
                    while let Ok(Read::Whole(_, length)) = Message::read(Side::Requests, &bytes) {
                        bytes.drain(..length);
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    url
}

/// A connection that stays open.
struct Line(TcpStream, Vec<u8>);

impl Line {
    async fn open(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap(), Vec::new())
    }

    async fn ask(&mut self, request: &str) -> Result<Message, String> {
        self.0.write_all(request.as_bytes()).await.map_err(|problem| problem.to_string())?;
        loop {
            match Message::read(Side::Responses, &self.1)? {
                Read::Whole(message, length) => {
                    self.1.drain(..length);
                    return Ok(message);
                }
                Read::Part(_) => match self.0.read_buf(&mut self.1).await {
                    Ok(1..) => (),
                    Ok(0) => return Err(format!("closed behind {}", self.1.escape_ascii())),
                    Err(problem) => return Err(problem.to_string()),
                },
            }
        }
    }
}

/// Calls until the end, each kind in turn.
async fn call(shared: Arc<Shared>, offset: u64) {
    let mut line = Line::open(shared.address).await;
    for nth in offset.. {
        if shared.ends.load(Ordering::Relaxed) {
            return;
        }
        let kind = KINDS[usize::try_from(nth).unwrap() % KINDS.len()];
        let tag = if kind == Kind::Tag { "t---" } else { "" };
        let tokens = Arc::clone(&shared.tokens.read().unwrap());
        let bearer = tokens.0.get(&kind).map(|token| format!("Authorization: Bearer {token}\r\n"));
        let bearer = bearer.unwrap_or_default();
        let request = format!("GET / HTTP/1.1\r\nHost: {tag}{}\r\n{bearer}\r\n", shared.host);
        let sent = Instant::now();
        match line.ask(&request).await {
            Ok(message) => {
                let body = String::from_utf8_lossy(&message.body).parse().ok();
                shared.judge(kind, sent, message.status(), body);
                if message.values("connection").any(|value| value.eq_ignore_ascii_case("close")) {
                    line = Line::open(shared.address).await;
                }
            }
            Err(why) => {
                shared.dropped(kind, &why);
                line = Line::open(shared.address).await;
            }
        }
    }
}

/// Who changes the service.
struct Writer {
    world: World,
    shared: Arc<Shared>,
    /// Each revision with the instance that it is.
    revisions: Vec<(String, usize)>,
    /// What is in `spec.traffic` beside the tag.
    split: Value,
}

impl Writer {
    fn state(&self) -> State {
        self.shared.writes.lock().unwrap().last().unwrap().state.clone()
    }

    /// Writes what leads to `state`, and notes when.
    async fn write<T>(&self, state: State, writing: impl Future<Output = T>) -> T {
        self.shared.writes.lock().unwrap().push(Write { state, began: Instant::now(), answered: None });
        let outcome = writing.await;
        self.shared.writes.lock().unwrap().last_mut().unwrap().answered = Some(Instant::now());
        outcome
    }

    /// Begins the next revision. Traffic follows if it is for the latest one.
    async fn deploy(&mut self) {
        let next = (self.revisions.last().unwrap().1 + 1) % INSTANCES;
        let mut state = self.state();
        if self.split[0]["latestRevision"] == true {
            state.traffic = vec![next];
        }
        let owner = self.world.owner();
        let service = self
            .write(
                state,
                owner.edit(SERVICE, |service| {
                    service["spec"]["template"]["spec"]["containers"][0]["image"] =
                        json!(format!("instance/{next}"));
                }),
            )
            .await;
        self.revisions.push((revision_name(&service), next));
    }

    /// Moves the traffic: to the latest revision, or to the last ones by halves; and the tag, or takes it away.
    async fn route(&mut self, to_latest: bool, tagged: Option<usize>) {
        let back = |by: usize| self.revisions[self.revisions.len().saturating_sub(by).max(1) - 1].clone();
        let mut state = self.state();
        let latest = self.revisions.last().unwrap().1;
        let (one, two) = (back(1), back(2));
        if to_latest || one == two {
            self.split = json!([{ "latestRevision": true, "percent": 100 }]);
            state.traffic = vec![latest];
        } else {
            let target = |(name, _): &(String, usize)| json!({ "revisionName": name, "percent": 50 });
            self.split = json!([target(&one), target(&two)]);
            state.traffic = vec![one.1, two.1];
        }
        let mut traffic = self.split.clone();
        state.tag = tagged.map(|by| {
            let (name, instance) = back(by);
            traffic.as_array_mut().unwrap().push(json!({ "revisionName": name, "tag": "t" }));
            instance
        });
        let owner = self.world.owner();
        self.write(state, owner.set_traffic(SERVICE, traffic)).await;
    }

    async fn bind(&self, member: bool) {
        let state = State { member, ..self.state() };
        let (steady, caller) = (self.world.account("steady").member(), self.world.account("caller").member());
        let members = if member { vec![&*steady, &*caller] } else { vec![&*steady] };
        self.write(state, self.world.owner().bind(SERVICE, "roles/run.invoker", &members)).await;
    }

    async fn accept(&self, audience: bool) {
        let state = State { audience, ..self.state() };
        let list = json!([AUDIENCE]).to_string();
        let owner = self.world.owner();
        self.write(state, owner.annotate(SERVICE, AUDIENCES, audience.then_some(&list))).await;
    }

    /// A rotation changes no verdict: the tokens of the old key are good for an hour. Half of the callers
    /// get tokens of the new one.
    async fn rotate(&self, half: usize) {
        let rotate = self.world.ask(Method::POST, "/emulator/keys:rotate").bearer(OWNER_TOKEN);
        let _ = rotate.send().await.expect(200);
        let mut tokens = Tokens::clone(&self.shared.tokens.read().unwrap());
        let fresh = tokens_of(&self.world, &self.shared.host).await;
        let every_second = fresh.0.into_iter().enumerate().filter(|(nth, _)| nth % 2 == half % 2);
        tokens.0.extend(every_second.map(|(_, one)| one));
        *self.shared.tokens.write().unwrap() = Arc::new(tokens);
    }

    /// One change after the other, each kind of them in every round.
    async fn round(&mut self, nth: usize) {
        self.deploy().await;
        self.bind(true).await;
        self.route(nth.is_multiple_of(2), Some(1 + nth % 3)).await;
        self.accept(true).await;
        self.deploy().await;
        self.rotate(nth).await;
        self.bind(false).await;
        self.route(nth % 3 == 1, None).await;
        self.deploy().await;
        self.accept(false).await;
        self.route(true, Some(1)).await;
    }
}

/// What each kind of caller shows.
async fn tokens_of(world: &World, host: &str) -> Tokens {
    let url = format!("http://{host}");
    let token = async |account: &str, audience: &str| world.account(account).token(audience).await;
    let good = token("steady", &url).await;
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { 'B' } else { 'A' };
    let now = world.clock().seconds();
    let claims = json!({ "iss": "https://accounts.google.com", "aud": url, "sub": "1", "iat": now, "exp": now + 3600 });
    Tokens(BTreeMap::from([
        (Kind::Altered, format!("{signed}.{flipped}{}", &signature[1..])),
        (Kind::Steady, good.clone()),
        (Kind::Tag, good),
        (Kind::Member, token("caller", &url).await),
        (Kind::Audience, token("steady", AUDIENCE).await),
        (Kind::Stranger, token("stranger", &url).await),
        (Kind::Foreign, foreign_jwt(&json!({ "alg": "RS256", "kid": "mine" }), &claims)),
    ]))
}

async fn begin() -> Writer {
    let mut entries = Vec::new();
    for nth in 0..INSTANCES {
        entries.push(RuleEntry { image: format!("instance/{nth}"), url: instance(nth).await });
    }
    let rules = Rules::read(&entries).unwrap();
    let world = World::with(|options| options.rules = rules).await;
    let mut service = Owner::service(SERVICE);
    service["spec"]["template"]["spec"]["containers"][0]["image"] = json!("instance/0");
    let service = world.owner().deploy_as(&service).await;
    let host = at(&service, "/status/url").as_str().unwrap().replace("http://", "");
    world.owner().bind(SERVICE, "roles/run.invoker", &[&world.account("steady").member()]).await;
    let state = State { member: false, audience: false, traffic: vec![0], tag: None };
    let now = Instant::now();
    let shared = Shared {
        address: Client::address(&world),
        tokens: RwLock::new(Arc::new(tokens_of(&world, &host).await)),
        host,
        writes: Mutex::new(vec![Write { state, began: now, answered: Some(now) }]),
        ends: AtomicBool::new(false),
        answers: AtomicU64::new(0),
        counts: Mutex::default(),
        wrong: Mutex::default(),
    };
    Writer {
        world,
        shared: Arc::new(shared),
        revisions: vec![(revision_name(&service), 0)],
        split: json!([{ "latestRevision": true, "percent": 100 }]),
    }
}

/// The judge of the story below, judged: what is too old, too new or never right is wrong.
#[test]
fn the_judge_knows_wrong_from_right() {
    let start = Instant::now();
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    let state =
        |member: bool, instance: usize| State { member, audience: false, traffic: vec![instance], tag: None };
    let write = |state: State, began: u64, answered: Option<u64>| Write {
        state,
        began: at(began),
        answered: answered.map(at),
    };
    let writes = [
        write(state(false, 0), 0, Some(0)),
        write(state(true, 1), 10, Some(20)),
        write(state(false, 1), 30, None),
    ];
    let wrong = |kind: Kind, sent: u64, received: u64, status: u16, instance: Option<usize>| {
        fault(&writes, kind, at(sent), at(received), status, instance).is_some()
    };
    for (sent, received, status, instance, is_wrong) in [
        (1, 2, 403, None, false),
        (1, 2, 200, Some(1), true),
        (1, 11, 200, Some(1), false),
        (1, 11, 403, None, false),
        (19, 21, 403, None, false),
        (21, 22, 403, None, true),
        (21, 22, 200, Some(1), false),
        (21, 22, 200, Some(0), true),
        (21, 22, 200, None, true),
        (21, 22, 503, None, true),
        (21, 31, 403, None, false),
        (40, 41, 200, Some(1), false),
        (40, 41, 200, Some(0), true),
    ] {
        assert_eq!(
            wrong(Kind::Member, sent, received, status, instance),
            is_wrong,
            "{sent} {received} {status}"
        );
    }
    assert!(wrong(Kind::Steady, 1, 2, 403, None) && wrong(Kind::Altered, 1, 2, 200, Some(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_is_wrong_while_everything_changes() {
    let seconds = std::env::var("GROUNDRUN_UNDER_CHANGE_SECONDS").ok().and_then(|text| text.parse().ok());
    let patience = Duration::from_secs(seconds.unwrap_or(3));
    let mut writer = begin().await;
    let shared = Arc::clone(&writer.shared);
    let clients: Vec<_> = (0..CLIENTS).map(|nth| tokio::spawn(call(Arc::clone(&shared), nth * 3))).collect();
    let start = Instant::now();
    let mut rounds = 0;
    while rounds < 2 || start.elapsed() < patience {
        writer.round(rounds).await;
        rounds += 1;
    }
    shared.ends.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let wrong = shared.wrong.lock().unwrap();
    let answers = shared.answers.load(Ordering::Relaxed);
    let counts = shared.counts.lock().unwrap();
    println!("{answers} answers in {} writes, {} wrong: {counts:?}", rounds * 11, wrong.len());
    assert!(
        wrong.is_empty(),
        "{} of {answers} answers are wrong, the first: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(5)]
    );
    // Both verdicts of each change were seen, or nothing was tried.
    for seen in [
        (Kind::Steady, 200),
        (Kind::Member, 200),
        (Kind::Member, 403),
        (Kind::Tag, 200),
        (Kind::Tag, 404),
        (Kind::Audience, 200),
        (Kind::Audience, 401),
        (Kind::Stranger, 403),
        (Kind::Anonymous, 403),
        (Kind::Altered, 401),
        (Kind::Foreign, 401),
    ] {
        assert!(counts.contains_key(&seen), "{seen:?} was never seen: {counts:?}");
    }
}
