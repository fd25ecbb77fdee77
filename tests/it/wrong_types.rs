//! Is there a field that takes a value of another type, or a message that takes a field that it does not
//! have? The schemas that the server publishes say which there are; each is tried with everything that it
//! is not.

use groundrun_tests::{Answer, Ask, Owner, PROJECT, REGION, World};
use serde_json::{Value, json};

/// A field that nothing has.
const NO_FIELD: &str = "noSuchField";

/// A step from a message to what it holds: into a field, or into the first item of a list.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Item,
}

/// Values of types that a schema does not have.
fn wrong_values(schema: &Value) -> Vec<Value> {
    let words = schema.get("enum").is_some();
    match schema["type"].as_str() {
        Some("string") if words => vec![json!("NO_SUCH_WORD"), json!(true), json!(99), json!([]), json!({})],
        Some("string") => {
            vec![
                json!(true),
                json!(false),
                json!(7),
                json!(0),
                json!(1.5),
                json!([]),
                json!(["x"]),
                json!({}),
            ]
        }
        Some("boolean") => {
            vec![json!("yes"), json!(""), json!(7), json!(0), json!([]), json!([true]), json!({})]
        }
        // 64 bits hold what 32 do not.
        Some("integer") if schema["format"] == "int64" => {
            vec![
                json!("x"),
                json!(""),
                json!(true),
                json!(1.5),
                json!(u64::MAX),
                json!(1e300),
                json!([]),
                json!({}),
            ]
        }
        Some("integer") => vec![
            json!("x"),
            json!(""),
            json!(true),
            json!(false),
            json!(1.5),
            json!(99_999_999_999_i64),
            json!(u64::MAX),
            json!(1e300),
            json!([]),
            json!([1]),
            json!({}),
        ],
        Some("number") => vec![json!("x"), json!(""), json!(true), json!([]), json!({})],
        Some("array") => {
            vec![json!(true), json!(false), json!(7), json!("x"), json!(""), json!({}), json!({ "a": 1 })]
        }
        Some("object") => {
            vec![json!(true), json!(false), json!(7), json!("x"), json!(""), json!([]), json!([{}])]
        }
        // Anything may stand there.
        _ => Vec::new(),
    }
}

/// Every place in what `schema` describes, each with values that are wrong there.
fn places(schema: &Value, at: &[Step], found: &mut Vec<(Vec<Step>, Value)>) {
    if schema["readOnly"] == true {
        return;
    }
    let inside = |step: Step| [at, &[step]].concat();
    if !at.is_empty() {
        found.extend(wrong_values(schema).into_iter().map(|value| (at.to_vec(), value)));
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        places(inner, &inside(Step::Field(name.clone())), found);
    }
    if let Some(items) = schema.get("items") {
        places(items, &inside(Step::Item), found);
    }
    match &schema["additionalProperties"] {
        Value::Bool(false) => found.push((inside(Step::Field(NO_FIELD.to_owned())), json!(1))),
        Value::Object(other) => {
            places(&Value::Object(other.clone()), &inside(Step::Field("key".to_owned())), found);
        }
        _ => {}
    }
}

/// `body` with `value` at a place; what is missing on the way is made.
fn put(body: &mut Value, at: &[Step], value: Value) {
    let Some((step, rest)) = at.split_first() else {
        *body = value;
        return;
    };
    match step {
        Step::Field(name) => {
            if !body.is_object() {
                *body = json!({});
            }
            put(&mut body[name], rest, value);
        }
        Step::Item => {
            if !body.is_array() {
                *body = json!([Value::Null]);
            }
            put(&mut body[0], rest, value);
        }
    }
}

/// The field that is at fault, in either spelling.
fn names_the_field(answer: &Answer, at: &[Step]) -> bool {
    let last = at.iter().rev().find_map(|step| match step {
        Step::Field(name) => Some(name.as_str()),
        Step::Item => None,
    });
    let name = last.unwrap_or_default();
    let snake = name.chars().fold(String::new(), |text, letter| match letter.is_ascii_uppercase() {
        true => format!("{text}_{}", letter.to_ascii_lowercase()),
        false => format!("{text}{letter}"),
    });
    let told = |text: &str| text.contains(name) || text.contains(&snake);
    answer.violations().iter().any(|(field, text)| told(field) || told(text))
}

/// Sends `good` with each wrong value; the answers must be refusals of that field.
async fn try_all(world: &World, schema: &str, good: &Value, send: impl Fn(&Value) -> Ask) {
    let document = world.get("/openapi.json").send().await.expect(200).json();
    let mut wrong = Vec::new();
    places(&document["components"]["schemas"][schema], &[], &mut wrong);
    assert!(wrong.len() > 500, "{schema} has {} wrong values", wrong.len());
    let mut passed = Vec::new();
    for (at, value) in wrong {
        let mut body = good.clone();
        put(&mut body, &at, value.clone());
        let answer = send(&body).send().await;
        let refused =
            answer.status == 400 && answer.code() == "INVALID_ARGUMENT" && names_the_field(&answer, &at);
        if !refused {
            let told: String = answer.text().split_whitespace().take(30).collect::<Vec<_>>().join(" ");
            passed.push(format!("{at:?} = {value}: {} {told}", answer.status));
        }
    }
    assert!(passed.is_empty(), "{} of them:\n{}", passed.len(), passed.join("\n"));
    let _ = world.owner().read(Owner::service_path("hello")).await.expect(404);
    let location = format!("/v2/projects/{PROJECT}/locations/{REGION}");
    for list in ["services", "operations"] {
        assert_eq!(world.get(format!("{location}/{list}")).send().await.expect(200).json(), json!({}));
    }
    // And there was nothing else wrong with it.
    let _ = send(good).send().await.expect(200);
}

#[tokio::test]
async fn no_field_of_v1_takes_another_type() {
    let world = World::start().await;
    try_all(&world, "v1.Service", &Owner::service("hello"), |body| {
        world.post(Owner::services_path(), body).host(groundrun_tests::REGIONAL)
    })
    .await;
}

#[tokio::test]
async fn no_field_of_v2_takes_another_type() {
    let world = World::start().await;
    let good = json!({ "template": { "containers": [{ "image": "gcr.io/demo/hello" }] } });
    let path = format!("/v2/projects/{PROJECT}/locations/{REGION}/services?serviceId=hello");
    try_all(&world, "v2.Service", &good, |body| world.post(&path, body)).await;
}
