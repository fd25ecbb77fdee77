//! What do stories look for in an object of the API?

use serde_json::Value;

/// The value at a JSON pointer; null if there is none.
pub fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// Puts `new` at a JSON pointer whose parents are objects, or lists that are long enough; null takes the
/// key away.
#[track_caller]
pub fn set(value: &mut Value, pointer: &str, new: Value) {
    let (parents, key) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
    let mut parent = value;
    for name in parents.split('/').skip(1).map(unescaped) {
        parent = match parent {
            Value::Array(list) => &mut list[name.parse::<usize>().expect("an index of the list")],
            Value::Null => {
                *parent = Value::Object(serde_json::Map::new());
                &mut parent[name]
            }
            other => &mut other[name],
        };
    }
    let key = unescaped(key);
    match parent {
        Value::Array(list) => list[key.parse::<usize>().expect("an index of the list")] = new,
        Value::Object(map) if new.is_null() => drop(map.remove(&key)),
        other => other[key] = new,
    }
}

/// `value` with `new` at `pointer`.
#[track_caller]
pub fn patched(value: &Value, pointer: &str, new: Value) -> Value {
    let mut value = value.clone();
    set(&mut value, pointer, new);
    value
}

/// An annotation of an object.
pub fn annotation<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    object["metadata"]["annotations"][key].as_str()
}

/// A condition of an object; null if there is none of this type.
pub fn condition<'v>(object: &'v Value, kind: &str) -> &'v Value {
    let conditions = object["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    conditions.iter().find(|condition| condition["type"] == kind).unwrap_or(&Value::Null)
}

/// The name of the newest revision that is ready.
#[track_caller]
pub fn revision_name(service: &Value) -> String {
    service["status"]["latestReadyRevisionName"].as_str().expect("a ready revision").to_owned()
}

fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}
