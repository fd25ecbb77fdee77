//! Do the official auth libraries get, verify and use tokens here, with nothing but environment variables?
//!
//! Each goes through the same steps: `tests/golden/identity-scenario.jsonl` is what all of them must see.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use groundrun::config::Settings;
use groundrun::environment;
use groundrun::trust::Files;
use groundrun_tests::{PROJECT, Program, World, at, from_base64, golden};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::libraries::{Library, beside, chosen, skip, succeeds};

/// What all clients must see, a step a line.
const SCENARIO: &str = "tests/golden/identity-scenario.jsonl";

const INVOKER: &str = "caller@demo-project.iam.gserviceaccount.com";

const PERSON: &str = "ada@example.test";

/// Lets a person sign in as the command line does.
pub(super) async fn login(emulator: SocketAddr, email: &str, file: &Path, more: &[&str]) {
    let (listen, file) = (emulator.to_string(), file.display().to_string());
    let arguments = [&["login", "--as", email, "--file", &file, "--listen", &listen], more].concat();
    let done = Program::run(Program::command(env!("CARGO_BIN_EXE_groundrun"), arguments)).await;
    assert!(done.status.success(), "{}", done.stderr);
}

/// The file of a new key of the invoker, and the name of the key.
async fn key_file(world: &World, file: &Path) -> String {
    let path = format!("/v1/projects/-/serviceAccounts/{INVOKER}/keys");
    let made = world.post(path, &json!({})).send().await.expect(200).json();
    fs::write(file, from_base64(made["privateKeyData"].as_str().unwrap())).unwrap();
    made["name"].as_str().unwrap().to_owned()
}

/// A private service, by the URL that the hosted one would have.
async fn private(world: &World, name: &str, members: &[&str]) -> String {
    let service = world.deploy(name).await;
    world.owner().bind(name, "roles/run.invoker", members).await;
    let local = at(&service, "/status/url").as_str().unwrap().to_owned();
    let host = local.trim_start_matches("http://").split(':').next().unwrap();
    format!("https://{}", host.replace(".run.localhost", ".run.app"))
}

/// Runs the scenario in the environment of `groundrun exec --mode all`.
async fn scenario(mut library: Library, first: &[&str], story: &str) {
    let world = World::start().await;
    // Clients judge a token by their own clock; a minute ago is in nobody's future.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    world.clock().pass(i64::try_from(now).unwrap() - 60 - world.clock().seconds());
    let home = TempDir::new().unwrap();
    let file = |name: &str| home.path().join(name);
    let workload = world.server().engine().default_workload().account;
    let members =
        [format!("serviceAccount:{workload}"), format!("serviceAccount:{INVOKER}"), format!("user:{PERSON}")];
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let (bound, unbound) = (private(&world, "bound", &members).await, private(&world, "unbound", &[]).await);
    key_file(&world, &file("key.json")).await;
    let deleted = key_file(&world, &file("deleted.json")).await;
    let _ = world.ask(Method::DELETE, format!("/v1/{deleted}")).send().await.expect(200);
    login(world.address(), PERSON, &file("user.json"), &["--adc"]).await;
    let case = json!({
        "project": PROJECT, "bound": bound, "unbound": unbound, "invoker": INVOKER,
        "keyFile": file("key.json"), "deletedKeyFile": file("deleted.json"), "userFile": file("user.json"),
    });
    fs::write(file("case.json"), case.to_string()).unwrap();

    let files = world.get("/emulator/ca").send().await.expect(200).json();
    let files: Files = serde_json::from_value(files).unwrap();
    let settings = Settings { listen: world.address(), ..Settings::default() };
    for variable in environment::all(&settings, &files, None) {
        library = library.variable(variable.name, variable.value);
    }
    library = library.variable("HOME", home.path());
    let case = file("case.json").display().to_string();
    let seen: Vec<Value> = library.run(&[first, &[&case]].concat()).await;
    let lines: String = seen.iter().map(|step| format!("{step}\n")).collect();
    golden::check(SCENARIO, &lines, story);
}

#[tokio::test(flavor = "multi_thread")]
async fn google_auth() {
    let python = chosen("GROUNDRUN_TEST_PYTHON", PathBuf::from("python3"));
    if !succeeds(&python, &["-c", "import requests, google.oauth2.id_token"]).await {
        return skip("requests and google-auth are not installed");
    }
    let script = beside("python").join("identity.py");
    scenario(Library::new(vec![python, "-B".into(), script]), &[], "clients::identity").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_auth_library() {
    let modules = chosen("GROUNDRUN_TEST_NODE_MODULES", beside("node").join("node_modules"));
    if !succeeds("node".as_ref(), &["--version"]).await || !modules.join("google-auth-library").exists() {
        return skip("node or google-auth-library is not installed");
    }
    let script = Library::new(vec!["node".into(), beside("node").join("identity.mjs")]);
    let script = script.variable("GROUNDRUN_TEST_NODE_MODULES", modules);
    scenario(script, &[], "clients::identity").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn google_cloud_auth() {
    let Some(program) = std::env::var_os("GROUNDRUN_TEST_RUST_CLIENT") else {
        return skip("GROUNDRUN_TEST_RUST_CLIENT does not say where the program of tests/clients/rust is");
    };
    scenario(Library::new(vec![program.into()]), &["identity"], "clients::identity").await;
}
