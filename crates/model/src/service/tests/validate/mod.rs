//! Which services are refused, in which words and at which path of each API?

mod allowed;
mod containers;
mod probes;
mod resources;
mod settings;
mod template;
mod volumes;

use serde_json::{Value, json};

use super::super::{defaults, validate};
use super::*;

const C: &str = "spec template spec containers";
const C0: &str = "spec template spec containers 0";
const V: &str = "spec template spec volumes";
const S: &str = "metadata annotations run.googleapis.com";
const T: &str = "spec template metadata annotations run.googleapis.com";

/// `when` is checked as it came through `api`.
fn outcome(api: Api, when: &[Edit<'_>]) -> Result<(), String> {
    let mut spec = spec(when);
    defaults::fill(&mut spec, &id());
    validate::check(&spec, &id(), api).map_err(|error| lines(&error))
}

/// `when` is refused in both APIs with exactly one violation, at the path of each.
#[track_caller]
fn refused(when: &[Edit<'_>], v1: &str, v2: &str, words: &str) {
    assert_eq!(outcome(Api::V1, when), Err(format!("{v1}: {words}")), "{when:?}");
    assert_eq!(outcome(Api::V2, when), Err(format!("{v2}: {words}")), "{when:?}");
}

/// A change of the only container is refused; `v1` and `v2` begin at the container.
#[track_caller]
fn container(part: &str, value: Value, v1: &str, v2: &str, words: &str) {
    refused(
        &[(&format!("{C0} {part}"), value)],
        &format!("spec.template.spec.containers[0]{v1}"),
        &format!("service.template.containers[0]{v2}"),
        words,
    );
}

#[track_caller]
fn allowed(when: &[Edit<'_>]) {
    for api in [Api::V1, Api::V2] {
        assert_eq!(outcome(api, when), Ok(()), "{when:?}");
    }
}
