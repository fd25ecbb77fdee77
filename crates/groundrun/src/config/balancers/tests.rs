//! Are load balancers read as they are written, and are slips told with their line?

use std::path::Path;

use super::*;
use crate::config::Settings;
use crate::config::file::parse;

fn settings(text: &str) -> Settings {
    parse(text, Path::new("groundrun.yaml")).unwrap().resolve().unwrap()
}

fn refusal(text: &str) -> String {
    parse(text, Path::new("dir/groundrun.yaml")).unwrap_err().to_string()
}

/// What is told of a load balancer at `shop.example.test` whose only path, in line 4, is this.
fn refused_path(path: &str) -> String {
    refusal(&format!("loadBalancers:\n  - host: shop.example.test\n    paths:\n      - {path}\n"))
}

#[test]
fn an_entry_has_a_host_and_paths() {
    let settings = settings(
        "project: p\nregion: europe-west1\n\
         loadBalancers:\n\
         - host: shop.example.test\n\
        \x20 address: 198.51.100.7\n\
        \x20 paths:\n\
        \x20 - {path: /, service: web}\n\
        \x20 - {path: /api, service: api, tag: v2, project: q, regions: [us-central1, us-east1]}\n\
         - host: '*.example.test'\n\
        \x20 paths:\n\
        \x20 - {path: /, urlMask: '<tag>.<service>.example.test'}\n",
    );
    let region = |name: &str| Region::parse(name).unwrap();
    let project = |id: &str| Project::parse(id).unwrap();
    let name = |name: &str| ServiceName::parse(name, "f").unwrap();
    let path = |path: &str| PathPrefix::parse(path).unwrap();
    let expected = vec![
        LoadBalancer {
            host: BalancerHost::parse("shop.example.test").unwrap(),
            address: "198.51.100.7".parse().unwrap(),
            paths: vec![
                PathRule {
                    path: path("/"),
                    backend: Backend::Service { name: name("web"), tag: None },
                    project: project("p"),
                    regions: vec![region("europe-west1")],
                },
                PathRule {
                    path: path("/api"),
                    backend: Backend::Service { name: name("api"), tag: Some("v2".to_owned()) },
                    project: project("q"),
                    regions: vec![region("us-central1"), region("us-east1")],
                },
            ],
        },
        LoadBalancer {
            host: BalancerHost::parse("*.example.test").unwrap(),
            address: BALANCER_ADDRESS,
            paths: vec![PathRule {
                path: path("/"),
                backend: Backend::Mask(UrlMask::parse("<tag>.<service>.example.test").unwrap()),
                project: project("p"),
                regions: vec![region("europe-west1")],
            }],
        },
    ];
    assert_eq!(settings.load_balancers(), Ok(expected));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let paths = "paths: [{path: /, service: web}]";
    let told = [
        refusal(&format!("loadBalancers:\n- host: Shop\n  {paths}\n")),
        refusal(&format!("loadBalancers:\n- host: '*.run.app'\n  {paths}\n")),
        refusal(&format!("loadBalancers:\n- host: a.test\n  {paths}\n- {paths}\n  host: a.test\n")),
        refusal(&format!("loadBalancers:\n- host: a.test\n  address: here\n  {paths}\n")),
        refusal("loadBalancers:\n- host: a.test\n  paths: []\n"),
        refusal("loadBalancers:\n- host: a.test\n"),
        refusal("loadBalancers:\n- host: [a.test]\n"),
        refusal("loadBalancers: a.test\n"),
        refusal(&format!("loadBalancers:\n- hostname: a.test\n  {paths}\n")),
        refused_path("{path: /api/, service: web}"),
        refused_path("{path: /, services: web}"),
        refused_path("{path: /, service: Web}"),
        refused_path("{path: /, service: web, tag: V2}"),
        refused_path("{path: /, service: web, project: P}"),
        refused_path("{path: /, service: web, regions: [us-central1, here]}"),
        refused_path("{path: /, service: web, regions: []}"),
        refused_path("{path: /, service: web, regions: us-central1}"),
        refused_path("{path: /}"),
        refused_path("{path: /, service: web, urlMask: /<service>}"),
        refused_path("{path: /, urlMask: /<service>, tag: v2}"),
        refused_path("{path: /, urlMask: '<tag>.example.test'}"),
        refused_path("{path: /, urlMask: '<service>.other.test'}"),
        refused_path("{path: /, service: web}\n      - {path: /, service: api}"),
    ];
    insta::assert_snapshot!(told.join("\n"));
}
