//! Any service: every row of the tables, containers, volumes and traffic, as a v1 body that is allowed.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::*;
use crate::service::{ServiceSettings, TemplateSettings};

/// The rows of both tables.
pub(super) fn rows() -> Vec<&'static Row> {
    ServiceSettings::ROWS.iter().chain(TemplateSettings::ROWS).collect()
}

/// A value that `row` allows, as an annotation spells it.
pub(super) fn value(row: &Row) -> BoxedStrategy<String> {
    let json = |texts: Vec<&'static str>| select(texts).prop_map_into().boxed();
    let number = |least: i64, most: i64| (least..=most).prop_map(|number| number.to_string()).boxed();
    match (row.name, row.kind) {
        ("min_instance_count", _) => number(0, 10),
        ("max_instance_count", _) => number(10, 100),
        ("max_instance_request_concurrency", _) => number(0, 1000),
        ("timeout", _) => number(1, 3600),
        (_, "an integer") => number(0, 48),
        (_, "true or false") => select(vec!["True", "False", "true", "false"]).prop_map_into().boxed(),
        (_, "a number between 0 and 1") => select(vec!["0.5", "0.25", "0"]).prop_map_into().boxed(),
        (_, "a list separated by commas") => select(vec!["a,b", "us-central1"]).prop_map_into().boxed(),
        ("secrets", _) => {
            select(vec!["s:projects/7/secrets/x", "a:projects/7/secrets/y, b:projects/8/secrets/z"])
                .prop_map_into()
                .boxed()
        }
        ("service_account", _) => {
            select(vec!["runner", "sa@other.iam.gserviceaccount.com"]).prop_map_into().boxed()
        }
        ("cloudsql_instances", _) => select(vec!["p:l:i", "p:l:i,p:l:j"]).prop_map_into().boxed(),
        ("accelerator", _) => select(vec!["nvidia-l4", "nvidia-rtx-pro-6000"]).prop_map_into().boxed(),
        (_, "a string") => "[ -~é]{1,12}".boxed(),
        (_, "a JSON list of strings") => {
            prop::collection::vec("[ -~é]{1,12}", 0..3).prop_map(|list| json!(list).to_string()).boxed()
        }
        ("build_environment_variables", _) => json(vec!["{\"A\": \"b\"}", "{}", "null"]),
        ("network_interfaces", _) => {
            json(vec!["[{\"network\": \"default\"}]", "[{\"subnetwork\": \"s\", \"tags\": [\"t\"]}]"])
        }
        ("container_dependencies", _) => json(vec!["{\"c1\": [\"c0\"]}", "{\"c0\": []}", "{}", "null"]),
        ("ambient_networking", _) => {
            json(vec!["{\"enabled\": true}", "{\"ambientScope\": \"AMBIENT_SCOPE_GLOBAL\"}", "{}", "null"])
        }
        (_, "JSON") => json(vec![
            "{\"c0\": [\"c1\"]}",
            "{\"c0\": \"gs://b/o#1\"}",
            "{\"c1\": {\"a\": \"b\"}}",
            "[]",
            "null",
            "1",
            "{}",
        ]),
        (_, kind) => {
            let words = kind.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
            select(words).boxed()
        }
    }
}

/// Where the settings of the connection to a VPC stand.
const VPC: [&str; 3] = ["/vpc-access-connector", "/network-interfaces", "/vpc-access-egress"];

/// Makes the connection to a VPC one that is allowed, whatever then becomes of `row`: by a connector or by
/// an interface, and the egress only with one of them.
pub(super) fn connect(edits: &mut Vec<(String, Value)>, row: &str) {
    let stands = |edits: &[(String, Value)], end: &str| edits.iter().any(|(path, _)| path.ends_with(end));
    let [connector, interfaces, egress] = VPC;
    match row {
        "vpc_connector" | "network_interfaces" => {
            edits.retain(|(path, _)| !VPC.iter().any(|end| path.ends_with(end)));
        }
        _ => edits.retain(|(path, _)| !path.ends_with(interfaces)),
    }
    if row == "vpc_egress" || (stands(edits, egress) && !stands(edits, connector)) {
        edits.push((format!("spec template metadata annotations run.googleapis.com{connector}"), json!("c")));
    }
}

fn settings() -> impl Strategy<Value = Vec<(String, Value)>> {
    let some: Vec<_> = rows().into_iter().map(|row| (Just(row), prop::option::of(value(row)))).collect();
    some.prop_map(|values| {
        let mut edits: Vec<(String, Value)> =
            values.into_iter().filter_map(|(row, value)| Some((place(row), json!(value?)))).collect();
        if edits.iter().any(|(path, _)| path.ends_with("manualInstanceCount")) {
            edits.push((SCALING_MODE.to_owned(), json!("manual")));
        }
        if edits.iter().any(|(path, _)| path.ends_with(VPC[0]))
            || !edits.iter().any(|(path, _)| path.ends_with(VPC[1]))
        {
            connect(&mut edits, "");
        }
        edits
    })
}

pub(super) const SCALING_MODE: &str = "metadata annotations run.googleapis.com/scalingMode";

fn map(key: &'static str, value: &'static str) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(key, value, 0..3).prop_map(|map| json!(map))
}

fn probe(actions: Vec<Value>) -> impl Strategy<Value = Value> {
    let number = |most: i32| prop::option::of(0..=most);
    (select(actions), number(5), number(240), number(9)).prop_map(|(action, timeout, period, failures)| {
        let period = period.map(|period| if period == 0 { 0 } else { period.max(5) });
        let mut probe =
            json!({"timeoutSeconds": timeout, "periodSeconds": period, "failureThreshold": failures});
        probe.as_object_mut().unwrap().extend(action.as_object().unwrap().clone());
        probe
    })
}

fn container(index: usize, with_port: bool) -> impl Strategy<Value = Value> {
    let http =
        || vec![json!({"httpGet": {"path": "/up", "port": 9}}), json!({"grpc": {"service": "s", "port": 1}})];
    let env = select(vec![
        json!({"name": "A", "value": "1"}),
        json!({"name": "B", "value": ""}),
        json!({"name": "A", "valueFrom": {"secretKeyRef": {"key": "latest", "name": "s"}}}),
    ]);
    let mut startup = http();
    startup.push(json!({"tcpSocket": {"port": 7}}));
    (
        select(vec!["gcr.io/demo/app", "app:v1", "localhost:5000/a/b@sha256:00"]),
        prop::collection::vec(env, 0..4),
        prop::collection::vec("[ -~]{0,5}", 0..3),
        prop::option::of(select(vec!["1", "1000m", "2", "2.0"])),
        prop::option::of(select(vec!["512Mi", "1Gi", "1G"])),
        (prop::option::of(probe(startup)), prop::option::of(probe(http())), prop::option::of(probe(http()))),
        prop::option::of(1..=65535),
        any::<bool>(),
    )
        .prop_map(move |(image, env, args, cpu, memory, (startup, liveness, readiness), port, mounted)| {
            let mut limits = Map::new();
            limits.extend(cpu.map(|cpu| ("cpu".to_owned(), json!(cpu))));
            limits.extend(memory.map(|memory| ("memory".to_owned(), json!(memory))));
            json!({
                "name": format!("c{index}"), "image": image, "env": env, "args": args,
                "command": ["/bin/app"], "workingDir": "/srv", "securityContext": {"runAsUser": 1000},
                "resources": {"limits": limits},
                "ports": if with_port { json!([{"containerPort": port, "name": "h2c"}]) } else { json!([]) },
                "startupProbe": startup, "livenessProbe": liveness, "readinessProbe": readiness,
                "volumeMounts": if mounted { json!([{"name": "v", "mountPath": "/v", "readOnly": true}]) } else { json!([]) },
            })
        })
}

/// One of them may wait for another, so that there are two at least.
fn containers() -> impl Strategy<Value = Value> {
    (2_usize..=3)
        .prop_flat_map(|count| (0..count).map(|index| container(index, index == 0)).collect::<Vec<_>>())
        .prop_map(|list| json!(list))
}

fn volumes() -> impl Strategy<Value = Value> {
    let sources = vec![
        json!({"name": "a", "secret": {"secretName": "s", "items": [{"key": "1", "path": "k", "mode": 256}], "defaultMode": 0}}),
        json!({"name": "b", "csi": {"driver": "gcsfuse.run.googleapis.com", "volumeAttributes": {"bucketName": "x"}}}),
        json!({"name": "c", "nfs": {"server": "10.0.0.1", "path": "/x", "readOnly": false}}),
        json!({"name": "d", "emptyDir": {}}),
    ];
    subsequence(sources, 0..=4).prop_map(|mut list| {
        list.push(json!({"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}));
        json!(list)
    })
}

/// Shares that sum to 100, and targets that have a tag and no share.
fn traffic() -> impl Strategy<Value = Value> {
    let target = |named: bool, index: usize| match named {
        true => json!({"revisionName": format!("hello-{:05}-abc", index + 1)}),
        false => json!({"latestRevision": true}),
    };
    (prop::collection::vec(0..=100, 0..3), prop::collection::vec(any::<bool>(), 6), 0_usize..3).prop_map(
        move |(mut cuts, named, tags)| {
            cuts.extend([0, 100]);
            cuts.sort_unstable();
            let mut targets: Vec<Value> = Vec::new();
            for (index, pair) in cuts.windows(2).enumerate() {
                let mut one = target(named[index], index);
                one["percent"] = json!(pair[1] - pair[0]);
                targets.push(one);
            }
            for index in 0..tags {
                let mut one = target(named[3 + index], index);
                one["tag"] = json!(format!("tag{index}"));
                targets.push(one);
            }
            json!(targets)
        },
    )
}

/// The edits of a body that is allowed.
pub(super) fn edits() -> impl Strategy<Value = Vec<(String, Value)>> {
    let labels = || map("[a-z][a-z0-9_-]{0,6}", "[a-z0-9_-]{0,6}");
    let annotations = || map("example\\.com/[a-z]{1,3}", "[ -~]{0,5}");
    let metadata = (labels(), annotations(), labels(), annotations());
    (
        settings(),
        metadata,
        containers(),
        volumes(),
        prop::option::of(traffic()),
        prop::option::of("hello-[a-z]{1,5}"),
    )
        .prop_map(
            |(
                settings,
                (labels, annotations, more_labels, more_annotations),
                containers,
                volumes,
                traffic,
                name,
            )| {
                let template = "spec template";
                let mut edits = vec![
                    ("metadata labels".to_owned(), labels),
                    ("metadata annotations".to_owned(), annotations),
                    (format!("{template} metadata labels"), more_labels),
                    (format!("{template} metadata annotations"), more_annotations),
                    (format!("{template} spec enableServiceLinks"), json!(false)),
                    (format!("{template} spec containers"), containers),
                    (format!("{template} spec volumes"), volumes),
                ];
                edits.extend(traffic.map(|traffic| ("spec traffic".to_owned(), traffic)));
                edits.extend(name.map(|name| (format!("{template} metadata name"), json!(name))));
                edits.extend(settings);
                edits
            },
        )
}

/// The specification that `edits` ask for.
pub(super) fn asked(edits: &[(String, Value)]) -> ServiceSpec {
    let edits: Vec<Edit<'_>> = edits.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
    spec(&edits)
}
