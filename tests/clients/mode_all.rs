//! Do programs land at the emulator with nothing but what `groundrun env --mode all` sets, whatever host
//! their libraries have built in?

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use groundrun::config::Settings;
use groundrun::environment::{self, Variable};
use groundrun::trust::Files;
use groundrun_tests::{World, at};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;

use super::libraries::{PATIENCE, beside, chosen, skip, succeeds};

/// An emulator with a private service, an invoker's token, and another server of the same machine.
struct Stage {
    world: World,
    variables: Vec<Variable>,
    /// The service as the hosted one names it, and as the emulator reports it.
    hosted: String,
    local: String,
    token: String,
    neighbour: String,
    home: TempDir,
}

/// What a program did.
struct Done {
    ok: bool,
    out: String,
    told: String,
}

impl Stage {
    async fn set() -> Self {
        let world = World::start().await;
        // Clients judge a token by their own clock; a minute ago is in nobody's future.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        world.clock().pass(i64::try_from(now).unwrap() - 60 - world.clock().seconds());
        let service = world.deploy("hello").await;
        world.owner().grant("hello").await;
        let local = at(&service, "/status/url").as_str().unwrap().to_owned();
        let host = local.trim_start_matches("http://").split(':').next().unwrap();
        let hosted = format!("https://{}", host.replace(".run.localhost", ".run.app"));
        let token = world.invoker().token(&hosted).await;
        let files: Files =
            serde_json::from_value(world.get("/emulator/ca").send().await.expect(200).json()).unwrap();
        let settings = Settings { listen: world.address(), ..Settings::default() };
        let variables = environment::all(&settings, &files, None);
        let neighbour = format!("http://localhost:{}/", neighbour().await.port());
        Self { world, variables, hosted, local, token, neighbour, home: TempDir::new().unwrap() }
    }

    /// Runs a program with these variables, the PATH and a home of its own.
    async fn run(&self, program: &Path, arguments: &[&str]) -> Done {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path()).env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1");
        command.envs(self.variables.iter().map(|variable| (&variable.name, &variable.value)));
        let modules = chosen("GROUNDRUN_TEST_NODE_MODULES", beside("node").join("node_modules"));
        command.env("GROUNDRUN_TEST_NODE_MODULES", modules).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Done { ok: output.status.success(), out: text(&output.stdout), told: text(&output.stderr) }
    }

    /// Runs a program that prints what it saw.
    async fn saw(&self, program: &Path, first: &[&str]) -> Vec<Value> {
        let rest = [&*self.hosted, &self.local, &self.token, &self.neighbour];
        let done = self.run(program, &[first, &rest].concat()).await;
        assert!(done.ok, "{}{}", done.out, done.told);
        done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn curl(&self, arguments: &[&str]) -> String {
        let done = self.run(Path::new("curl"), &[&["-sS", "--max-time", "20"], arguments].concat()).await;
        done.out + &done.told
    }
}

/// A server of the developer's own, which says `neighbour` to everything.
async fn neighbour() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nneighbour";
                let _ = stream.write_all(answer).await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn curl() {
    if !succeeds("curl".as_ref(), &["--version"]).await {
        return skip("curl is not on the PATH");
    }
    let stage = Stage::set().await;
    let status = ["-o", "/dev/null", "-w", "%{http_code} %{http_version}"];
    let bearer = format!("Authorization: Bearer {}", stage.token);
    let call = async |url: &str, more: &[&str]| stage.curl(&[&status, more, &[url]].concat()).await;
    let token = ["-H", &bearer];
    assert_eq!(call(&stage.hosted, &token).await, "200 2");
    assert_eq!(call(&stage.hosted, &["--http1.1", "-H", &bearer]).await, "200 1.1");
    assert_eq!(call(&stage.hosted, &[]).await, "403 2");
    assert_eq!(call(&stage.local, &token).await, "200 1.1");
    assert_eq!(call("https://www.googleapis.com/oauth2/v3/certs", &[]).await, "200 2");
    // Straight to the port, which speaks TLS as well.
    let direct = format!("https://{}/healthz", stage.world.address());
    assert_eq!(call(&direct, &[]).await, "200 2");
    assert_eq!(stage.curl(&[&stage.neighbour]).await, "neighbour");
    assert_eq!(stage.curl(&["--proxytunnel", &stage.neighbour]).await, "neighbour");
    let told = stage.curl(&["https://example.com/"]).await;
    assert!(told.contains("response 403"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn python() {
    let python = chosen("GROUNDRUN_TEST_PYTHON", PathBuf::from("python3"));
    if !succeeds(&python, &["-c", "import requests, google.oauth2.id_token, google.cloud.run_v2"]).await {
        return skip("requests, google-auth and google-cloud-run are not installed");
    }
    let stage = Stage::set().await;
    let script = beside("python").join("mode_all.py");
    let mut expected = Vec::new();
    for url in ["hosted", "local"] {
        expected.extend(["requests", "urllib"].map(|by| json!([format!("{by} {url}"), 200])));
        expected.push(json!([format!("requests {url} without a token"), 403]));
    }
    expected.extend([
        json!(["verified for the service", true]),
        json!(["services by grpc", ["hello"]]),
        json!(["services by rest", ["hello"]]),
        json!(["neighbour by requests", "neighbour"]),
        json!(["neighbour by urllib", "neighbour"]),
        json!(["elsewhere", 403]),
        json!(["elsewhere over TLS", true]),
    ]);
    assert_eq!(stage.saw(&python, &["-B", script.to_str().unwrap()]).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn node() {
    let modules = chosen("GROUNDRUN_TEST_NODE_MODULES", beside("node").join("node_modules"));
    if !succeeds("node".as_ref(), &["--version"]).await || !modules.join("@google-cloud/run").exists() {
        return skip("node or @google-cloud/run is not installed");
    }
    let stage = Stage::set().await;
    let script = beside("node").join("mode_all.mjs");
    let expected = [
        json!(["gaxios hosted", 200]),
        json!(["gaxios hosted without a token", 403]),
        json!(["gaxios local", 200]),
        json!(["gaxios local without a token", 403]),
        json!(["verified for the service", true]),
        json!(["services by grpc", ["hello"]]),
        json!(["neighbour by gaxios", "neighbour"]),
    ];
    assert_eq!(stage.saw(Path::new("node"), &[script.to_str().unwrap()]).await, expected);
}

/// Not required of CI: no other test needs a Java.
#[tokio::test(flavor = "multi_thread")]
async fn java() {
    if !succeeds("javac".as_ref(), &["-version"]).await {
        println!("skipped: there is no JDK on the PATH");
        return;
    }
    let stage = Stage::set().await;
    let source = beside("java").join("ModeAll.java");
    let expected = [
        json!(["hosted", 200]),
        json!(["hosted without a token", 403]),
        json!(["local", 200]),
        json!(["local without a token", 403]),
        json!(["certificates", 200]),
        json!(["neighbour", "neighbour"]),
    ];
    assert_eq!(stage.saw(Path::new("java"), &[source.to_str().unwrap()]).await, expected);
}

/// Without an override of any endpoint.
#[tokio::test(flavor = "multi_thread")]
async fn gcloud() {
    let gcloud = Path::new("gcloud");
    if !succeeds(gcloud, &["--version"]).await {
        return skip("gcloud is not on the PATH");
    }
    let stage = Stage::set().await;
    assert!(!stage.variables.iter().any(|variable| variable.name.contains("OVERRIDE")));
    let run = async |command: &str| stage.run(gcloud, &command.split(' ').collect::<Vec<_>>()).await;
    let listed = run("run services list --format=value(metadata.name)").await;
    assert_eq!(listed.out.trim(), "hello", "{}", listed.told);
    let minted = format!(
        "auth print-identity-token --audiences={} \
         --impersonate-service-account=caller@demo-project.iam.gserviceaccount.com",
        stage.hosted
    );
    let minted = run(&minted).await;
    assert!(minted.ok, "{}", minted.told);
    let bearer = format!("Authorization: Bearer {}", minted.out.trim());
    let answer = stage.curl(&["-o", "/dev/null", "-w", "%{http_code}", "-H", &bearer, &stage.hosted]).await;
    assert_eq!(answer, "200");
    let begun = std::time::Instant::now();
    let refused = run("beta run worker-pools deploy wp --image=i").await;
    assert!(!refused.ok && refused.told.contains("WorkerPools"), "{}", refused.told);
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
}
