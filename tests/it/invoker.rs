//! Who may call which service with a token for which audience?
//!
//! The answer is a file that a person can read: `tests/golden/invoker-matrix.txt`. Where groundrun differs
//! from it, the story fails; `GROUNDRUN_UPDATE_GOLDEN=1 cargo test` writes the file anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use groundrun_model::iam::Identities;
use groundrun_tests::{AUDIENCES, Owner, PROJECT, World, annotation, at, golden, revision_name, set};
use serde_json::{Value, json};

/// Where the matrix is kept.
const GOLDEN: &str = "tests/golden/invoker-matrix.txt";

const HEAD: &str = "\
# Who may call which service with a token for which audience: caller x setting x audience -> status.
#
# Every service has the custom audience https://api.example.test and the tag green, and binds
# roles/run.invoker to the accounts whose names say so. 200 is an answer of the service; 401 is a token that
# is not for the service; 403 is no token, or a caller that may not invoke. The file is written and checked
# by tests/it/invoker.rs.
";

/// A caller: how the table names it, its email (none is no token), and whether its token says the email.
const CALLERS: &[(&str, Option<&str>, bool)] = &[
    ("anonymous", None, false),
    ("service account, not bound", Some("stranger@demo-project.iam.gserviceaccount.com"), true),
    ("service account of another project", Some("caller@other-project.iam.gserviceaccount.com"), true),
    ("invoker, with email", Some("caller@demo-project.iam.gserviceaccount.com"), true),
    ("invoker, without email", Some("caller@demo-project.iam.gserviceaccount.com"), false),
    ("user, not bound", Some("someone@elsewhere.test"), true),
    ("user, invoker", Some("dev@elsewhere.test"), true),
    ("user of the domain corp.test", Some("anyone@corp.test"), true),
    ("project: invoker", Some("wide@demo-project.iam.gserviceaccount.com"), false),
    ("project: run.developer", Some("developer@elsewhere.test"), true),
    ("project: owner", Some("boss@elsewhere.test"), true),
    ("project: viewer", Some("viewer@elsewhere.test"), true),
    ("project: member of a group of invokers", Some("member@elsewhere.test"), true),
    ("project: role of its own", Some("custom@demo-project.iam.gserviceaccount.com"), false),
    ("project: invoker, condition holds", Some("while@demo-project.iam.gserviceaccount.com"), false),
    ("project: invoker, condition fails", Some("elsewhere@demo-project.iam.gserviceaccount.com"), false),
];

/// A setting of a service.
struct Setting {
    /// How the table names it.
    title: &'static str,
    /// The name of the service.
    service: &'static str,
    /// Who holds `roles/run.invoker` besides the invokers.
    members: &'static [&'static str],
    /// An annotation and its value.
    annotation: Option<(&'static str, &'static str)>,
}

const SETTINGS: &[Setting] = &[
    Setting { title: "private", service: "private", members: &[], annotation: None },
    Setting { title: "allUsers", service: "all-users", members: &["allUsers"], annotation: None },
    Setting {
        title: "allAuthenticatedUsers",
        service: "all-authenticated",
        members: &["allAuthenticatedUsers"],
        annotation: None,
    },
    Setting { title: "domain:corp.test", service: "corp", members: &["domain:corp.test"], annotation: None },
    Setting {
        title: "invoker check off",
        service: "check-off",
        members: &[],
        annotation: Some(("run.googleapis.com/invoker-iam-disabled", "True")),
    },
];

/// The audiences of a service: how the table names each, and what the token says.
fn audiences(service: &Value) -> Vec<(&'static str, String)> {
    let urls: Vec<String> =
        serde_json::from_str(annotation(service, "run.googleapis.com/urls").unwrap()).unwrap();
    let (number, hash) = (&urls[0], &urls[1]);
    let hosted = |url: &str| {
        let host = url.strip_prefix("http://").and_then(|rest| rest.split(':').next()).unwrap();
        format!("https://{}", host.replace(".run.localhost", ".run.app"))
    };
    let tag = at(service, "/status/traffic/1/url").as_str().unwrap().to_owned();
    vec![
        ("custom", "https://api.example.test".to_owned()),
        ("custom/", "https://api.example.test/".to_owned()),
        ("hash", hosted(hash)),
        ("number", hosted(number)),
        ("local", hash.clone()),
        ("hash/", format!("{}/", hosted(hash))),
        ("hash/path", format!("{}/some/path", hosted(hash))),
        ("hash?query", format!("{}?a=b", hosted(hash))),
        ("hash#part", format!("{}#part", hosted(hash))),
        ("tag", tag),
        ("other service", hosted(hash).replace("https://", "https://x")),
        ("wrong", "https://wrong.example.test".to_owned()),
        ("gcloud", "32555940559.apps.googleusercontent.com".to_owned()),
    ]
}

async fn deploy(world: &World, setting: &Setting) -> Value {
    let name = setting.service;
    let owner = world.owner();
    let mut service = Owner::service(name);
    set(&mut service, "/metadata/annotations", json!({ AUDIENCES: "[\"https://api.example.test\"]" }));
    if let Some((key, value)) = setting.annotation {
        service["metadata"]["annotations"][key] = json!(value);
    }
    let ready = owner.deploy_as(&service).await;
    let traffic = json!([
        { "latestRevision": true, "percent": 100 },
        { "revisionName": revision_name(&ready), "tag": "green" },
    ]);
    let invoker = format!("serviceAccount:caller@{PROJECT}.iam.gserviceaccount.com");
    let bound = [&[invoker.as_str(), "user:dev@elsewhere.test"], setting.members].concat();
    owner.bind(name, "roles/run.invoker", &bound).await;
    owner.set_traffic(name, traffic).await
}

async fn bind_on_project(world: &World) {
    let binding = |role: &str, member: &str| json!({ "role": role, "members": [member] });
    let when = |expression: &str, member: &str| {
        let condition = json!({ "title": "when", "expression": expression });
        json!({ "role": "roles/run.invoker", "members": [member], "condition": condition })
    };
    let role = json!({ "roleId": "callers", "role": { "includedPermissions": ["run.routes.invoke"] } });
    let _ = world.post(format!("/v1/projects/{PROJECT}/roles"), &role).send().await.expect(200);
    let policy = json!({ "version": 3, "bindings": [
        binding("roles/run.invoker", "serviceAccount:wide@demo-project.iam.gserviceaccount.com"),
        binding("roles/run.developer", "user:developer@elsewhere.test"),
        binding("roles/owner", "user:boss@elsewhere.test"),
        binding("roles/viewer", "user:viewer@elsewhere.test"),
        binding("roles/run.invoker", "group:invokers@elsewhere.test"),
        binding(
            "projects/demo-project/roles/callers",
            "serviceAccount:custom@demo-project.iam.gserviceaccount.com",
        ),
        when("request.path == '/'", "serviceAccount:while@demo-project.iam.gserviceaccount.com"),
        when("request.path != '/'", "serviceAccount:elsewhere@demo-project.iam.gserviceaccount.com"),
    ] });
    let path = format!("/v1/projects/{PROJECT}:setIamPolicy");
    let _ = world.post(path, &json!({ "policy": policy })).send().await.expect(200);
}

/// One row: the status for each audience.
async fn row(world: &World, service: &Value, email: Option<&str>, says_email: bool) -> Vec<u16> {
    let url = at(service, "/status/url").as_str().unwrap();
    let mut statuses = Vec::new();
    for (_, audience) in audiences(service) {
        let mut ask = world.anonymous().at(url);
        if let Some(email) = email {
            ask = ask.bearer(world.owner().id_token(email, &audience, says_email).await);
        }
        statuses.push(ask.send().await.status.as_u16());
    }
    statuses
}

async fn matrix(world: &World) -> String {
    let wide = CALLERS.iter().map(|caller| caller.0.len()).max().unwrap_or_default();
    let mut text = HEAD.to_owned();
    for setting in SETTINGS {
        let service = deploy(world, setting).await;
        let title = setting.title;
        let names: Vec<&str> = audiences(&service).iter().map(|audience| audience.0).collect();
        let _ = writeln!(text, "\n{title:wide$}  {}", names.join("  "));
        for (caller, email, says_email) in CALLERS {
            let statuses = row(world, &service, *email, *says_email).await;
            let cells: Vec<String> = statuses
                .iter()
                .zip(&names)
                .map(|(status, name)| format!("{status:<width$}", width = name.len()))
                .collect();
            let _ = writeln!(text, "{caller:wide$}  {}", cells.join("  ").trim_end());
        }
    }
    text
}

#[tokio::test]
async fn the_matrix_is_the_golden_one() {
    let groups = [("invokers@elsewhere.test".to_owned(), vec!["member@elsewhere.test".to_owned()])];
    let world = World::with(|options| {
        options.identities = Identities::read(&groups.into(), &BTreeMap::new()).unwrap();
    })
    .await;
    bind_on_project(&world).await;
    let found = matrix(&world).await;
    golden::check(GOLDEN, &found, "invoker");
}

/// The matrix must be able to fail in both directions: each status is there, and each setting has a row of
/// its own kind.
#[test]
fn the_golden_matrix_says_something() {
    let golden = golden::read(GOLDEN);
    for status in ["200", "401", "403"] {
        assert!(golden.contains(status));
    }
    let rows = golden.lines().filter(|line| line.starts_with("anonymous"));
    let answers: Vec<&str> = rows.map(|row| row.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(answers, ["403", "200", "403", "403", "200"]);
}
