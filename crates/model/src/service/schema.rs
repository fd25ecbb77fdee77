//! Which JSON is a service, in each API?
//!
//! Everything here follows from the tables of settings and from the messages: a field that is added there
//! is in the schema.

use serde_json::{Map as Object, Value, json};

use super::v1::{KEPT_SPEC, ServiceMessage};
use super::v2::{IDENTITY, OUTPUT_ONLY, STRUCTURE};
use super::{Container, ServiceSettings, TemplateSettings, Volume};
use crate::field::{Place, RowSchema, Spelling};
use crate::schema::{Schema as _, object, put};

/// What a name of an image looks like, of those that are accepted.
const IMAGE: &str = "^[a-z]{1,20}(/[a-z]{1,20}){0,2}(:[a-z0-9]{1,8})?$";

/// What a label's key looks like.
const LABEL: &str = "^[a-z][a-z0-9_-]{0,20}$";

/// A Service of v1.
pub fn v1_service() -> Value {
    let mut service = ServiceMessage::schema();
    set(&mut service, "/properties/apiVersion/enum", json!(["serving.knative.dev/v1"]));
    set(&mut service, "/properties/kind/enum", json!(["Service"]));
    set(&mut service, "/properties/status/readOnly", json!(true));
    let template = "/properties/spec/properties/template/properties";
    annotations(&mut service, "/properties/metadata/properties", ServiceSettings::schemas());
    annotations(&mut service, &format!("{template}/metadata/properties"), TemplateSettings::schemas());
    set(&mut service, &format!("{template}/spec"), v1_template_spec());
    refine(&mut service);
    service
}

/// `spec.template.spec` of v1: the rows that stand there, and what no row is.
fn v1_template_spec() -> Value {
    let mut spec = object(Object::new());
    for name in KEPT_SPEC {
        put(&mut spec, name, json!({}));
    }
    put(&mut spec, "nodeSelector", super::Map::schema());
    put(&mut spec, "containers", Vec::<Container>::schema());
    put(&mut spec, "volumes", Vec::<Volume>::schema());
    for RowSchema { row, v1, .. } in TemplateSettings::schemas() {
        match row.v1 {
            Place::Spec(key) => put(&mut spec, key, v1),
            Place::NodeSelector(key) => {
                set(&mut spec, &format!("/properties/nodeSelector/properties/{}", token(key)), v1);
            }
            Place::Annotation(_) => {}
        }
    }
    spec
}

/// Says what may stand in the annotations that are settings; others stay free.
fn annotations(service: &mut Value, metadata: &str, rows: Vec<RowSchema>) {
    for RowSchema { row, v1, .. } in rows {
        if let Place::Annotation(key) = row.v1 {
            set(service, &format!("{metadata}/annotations/properties/{}", token(key)), v1);
        }
    }
}

/// A Service of v2.
pub fn v2_service() -> Value {
    let mut service = object(Object::new());
    for (path, schema) in STRUCTURE {
        put(&mut service, path, schema());
    }
    let own = |schema: &RowSchema| schema.row.spelling != Spelling::Parts;
    for RowSchema { row, v2, .. } in ServiceSettings::schemas().into_iter().filter(own) {
        put(&mut service, row.v2, v2);
    }
    for RowSchema { row, v2, .. } in TemplateSettings::schemas().into_iter().filter(own) {
        put(&mut service, &format!("template.{}", row.v2), v2);
    }
    for name in IDENTITY {
        put(&mut service, name, String::schema());
    }
    for name in OUTPUT_ONLY {
        put(&mut service, name, json!({ "readOnly": true }));
    }
    refine(&mut service);
    service
}

/// Narrows, wherever they stand, the fields of which few texts are accepted. A service without a container
/// and a container without an image are refused.
fn refine(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, inner) in properties.iter_mut() {
        match name.as_str() {
            "image" => set(inner, "/pattern", json!(IMAGE)),
            "labels" => set(inner, "/propertyNames", json!({ "pattern": LABEL })),
            "containers" => set(inner, "/minItems", json!(1)),
            _ => {}
        }
        refine(inner);
        if let Some(items) = inner.get_mut("items") {
            refine(items);
        }
    }
    let is_there = |name: &&str| properties.contains_key(*name);
    let required: Vec<&str> =
        ["spec", "template", "containers", "image"].into_iter().filter(is_there).collect();
    // A template of v1 has metadata besides its spec.
    if !required.is_empty() {
        set(schema, "/required", json!(required));
    }
}

/// Sets what stands at a pointer; the objects on the way are made.
fn set(schema: &mut Value, pointer: &str, value: Value) {
    let mut at = schema;
    for part in pointer.split('/').skip(1) {
        let key = part.replace("~1", "/");
        let Some(object) = at.as_object_mut() else { return };
        at = object.entry(key).or_insert_with(|| json!({}));
    }
    *at = value;
}

/// A key as a part of a pointer.
fn token(key: &str) -> String {
    key.replace('/', "~1")
}
