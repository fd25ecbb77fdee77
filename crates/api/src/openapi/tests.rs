//! Does the document follow from the routes and from what reads the requests?

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

fn of_this_server() -> Value {
    openapi("http://127.0.0.1:8786", &Places { project: "demo-project", region: "us-central1" })
}

fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
    })
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = of_this_server();
    let names: BTreeSet<&str> =
        operations(&document).map(|(.., operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), ROUTES.len());
    assert!(names.contains("run.projects.locations.services.get"));
    assert!(names.contains("run.projects.locations.services.get.2"));
}

#[test]
fn every_name_that_is_referred_to_is_there() {
    let document = of_this_server();
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut referred =
        text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap());
    assert!(referred.all(|name| schemas.contains_key(name)));
}

#[test]
fn what_a_body_is_follows_from_what_reads_it() {
    let document = of_this_server();
    let body = |path: &str, field: &str| {
        let content = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"];
        content["schema"]["properties"][field].clone()
    };
    let account = "/v1/projects/{project}/serviceAccounts/{account}";
    assert_eq!(body(&format!("{account}:generateIdToken"), "includeEmail"), json!({ "type": "boolean" }));
    assert_eq!(
        body(&format!("{account}:generateAccessToken"), "scope"),
        json!({ "type": "array", "items": { "type": "string" } })
    );
    let policy = &document["components"]["schemas"]["iam.Policy"]["properties"];
    assert_eq!(policy["etag"], json!({ "type": "string" }));
    let condition = &policy["bindings"]["items"]["properties"]["condition"];
    assert_eq!(condition["properties"]["expression"], json!({ "type": "string" }));
}

/// What the handlers of v1 read from the query, as their sources say it.
#[test]
fn every_parameter_that_is_read_is_told() {
    let told: BTreeSet<&str> =
        HANDLERS.iter().flat_map(|handler| parameters::query(handler)).copied().collect();
    let mut read = BTreeSet::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut read);
    assert!(read.len() >= 7, "{read:?}");
    let missing: Vec<&String> = read.iter().filter(|name| !told.contains(name.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

fn sources(directory: &Path, read: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("openapi") {
                sources(&path, read);
            }
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for begin in ["query.get(\"", "self.get(\""] {
            let found = text.split(begin).skip(1).filter_map(|rest| rest.split('"').next());
            read.extend(found.map(str::to_owned));
        }
    }
}
