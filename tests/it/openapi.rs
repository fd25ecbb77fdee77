//! Does the server say of itself what it answers?

use std::collections::BTreeSet;

use groundrun_api::ROUTES;
use groundrun_model::service::{ServiceSettings, TemplateSettings};
use groundrun_tests::{PROJECT, REGION, World, at};
use serde_json::{Value, json};

async fn document(world: &World) -> Value {
    world.get("/openapi.json").send().await.expect(200).json()
}

#[tokio::test]
async fn every_route_is_in_the_document_and_nothing_else() {
    let document = document(&World::start().await).await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut told = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        told.extend(methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())));
    }
    let routed: BTreeSet<(String, String)> =
        ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), path.replace("/:", ":"))).collect();
    assert_eq!(told, routed);
    let verb =
        "/paths/~1v2~1projects~1{project}~1locations~1{location}~1services~1{service}:getIamPolicy/get";
    let parameters = at(&document, &format!("{verb}/parameters")).as_array().unwrap();
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["project", "location", "service", "options.requestedPolicyVersion"]);
}

/// A row that v2 spells in parts of containers or volumes is there, too.
#[tokio::test]
async fn every_row_of_the_tables_is_in_the_schema_of_v2() {
    let document = document(&World::start().await).await;
    let schema = &document["components"]["schemas"]["v2.Service"];
    let has = |path: String| {
        path.split('.').try_fold(schema, |schema, name| {
            let message = schema.get("items").unwrap_or(schema);
            message.get("properties")?.get(name)
        })
    };
    let service = ServiceSettings::ROWS.iter().map(|row| row.v2.to_owned());
    let template = TemplateSettings::ROWS.iter().map(|row| format!("template.{}", row.v2));
    let missing: Vec<String> = service.chain(template).filter(|path| has(path.clone()).is_none()).collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// What the server answers can be read with the schema that it publishes: no field is unknown to it.
#[tokio::test]
async fn what_is_answered_is_in_the_schema() {
    let world = World::start().await;
    let document = document(&world).await;
    let v1 = world.deploy("hello").await;
    let path = format!("/v2/projects/{PROJECT}/locations/{REGION}/services/hello");
    let v2 = world.get(path).send().await.expect(200).json();
    let mut unknown = Vec::new();
    for (name, answer) in [("v1.Service", &v1), ("v2.Service", &v2)] {
        unknown_fields(&document["components"]["schemas"][name], answer, name, &mut unknown);
    }
    assert_eq!(unknown, Vec::<String>::new());
    assert_eq!(document["components"]["schemas"]["v2.Service"]["required"], json!(["template"]));
}

fn unknown_fields(schema: &Value, answer: &Value, at: &str, found: &mut Vec<String>) {
    match answer {
        Value::Object(fields) => {
            for (name, value) in fields {
                match schema["properties"].get(name) {
                    Some(inner) => unknown_fields(inner, value, &format!("{at}.{name}"), found),
                    None if schema["additionalProperties"] == false => found.push(format!("{at}.{name}")),
                    None => {}
                }
            }
        }
        Value::Array(list) => {
            list.iter().for_each(|item| unknown_fields(&schema["items"], item, &format!("{at}[]"), found));
        }
        _ => {}
    }
}
