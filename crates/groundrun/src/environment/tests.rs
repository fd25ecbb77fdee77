//! Does each shell read back what was written for it?

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;

use super::*;
use crate::trust::Files;

fn settings(listen: &str) -> Settings {
    Settings { listen: listen.parse().unwrap(), ..Settings::default() }
}

#[test]
fn what_env_prints_for_each_shell() {
    let odd = Settings { project: "it's".to_owned(), ..settings("0.0.0.0:9000") };
    insta::assert_snapshot!("sh", script(&Settings::default(), Shell::Sh, false, "groundrun"));
    insta::assert_snapshot!("sh_unset", script(&Settings::default(), Shell::Sh, true, "groundrun"));
    insta::assert_snapshot!("sh_odd", script(&odd, Shell::Sh, false, "target/release/groundrun"));
    insta::assert_snapshot!("fish", script(&odd, Shell::Fish, false, "groundrun"));
    insta::assert_snapshot!("fish_unset", script(&odd, Shell::Fish, true, "groundrun"));
    insta::assert_snapshot!("powershell", script(&odd, Shell::Powershell, false, "groundrun"));
    insta::assert_snapshot!("powershell_unset", script(&odd, Shell::Powershell, true, "groundrun"));
}

#[test]
fn what_leads_every_program() {
    let files = Files::in_directory(Path::new("/data/ca"));
    let variables = all(&settings("[::]:9000"), &files, Some(Path::new("/keys/me.json")));
    let lines: Vec<String> = variables.iter().map(|v| format!("{}={}", v.name, v.value)).collect();
    insta::assert_snapshot!("all", lines.join("\n"));
    // One file for everything that a library trusts must hold the system's roots; one that adds must not.
    let value = |name: &str| &variables.iter().find(|v| v.name == name).unwrap().value;
    assert_eq!(value("SSL_CERT_FILE"), "/data/ca/bundle.pem");
    assert_eq!(value("NODE_EXTRA_CA_CERTS"), "/data/ca/ca.pem");
    assert!(!lines.iter().any(|line| line.contains("OVERRIDES")));
}

#[test]
fn java_reads_a_path_with_spaces() {
    let files = Files::in_directory(Path::new("/my data/ca"));
    let variables = all(&Settings::default(), &files, None);
    let options = variables.iter().find(|v| v.name == "JAVA_TOOL_OPTIONS").unwrap();
    assert!(options.value.contains("trustStore='/my data/ca/truststore.jks' "), "{}", options.value);
}

#[test]
fn every_variable_that_is_set_can_be_unset() {
    for all_programs in [false, true] {
        let script = |unset| {
            let files = Files::in_directory(Path::new("/data/ca"));
            let settings = Settings::default();
            let variables = if all_programs { all(&settings, &files, None) } else { gcloud(&settings) };
            script_of(variables, "", Shell::Sh, unset, "groundrun")
        };
        nothing_is_left(&script(false), &script(true));
    }
}

fn nothing_is_left(set: &str, unset: &str) {
    let after = Command::new("/bin/sh")
        .env_clear()
        .args(["-c", "eval \"$1\"; eval \"$2\"; export", "sh", set, unset])
        .output()
        .unwrap();
    assert!(after.status.success());
    let after = String::from_utf8(after.stdout).unwrap();
    for name in ["CLOUDSDK", "PROXY", "proxy", "CERT", "CA_", "JAVA", "GCE_", "NODE", "GROUNDRUN", "GOOGLE"] {
        assert!(!after.contains(name), "{after}");
    }
}

#[test]
fn clients_reach_an_emulator_that_listens_everywhere_on_this_machine() {
    let reach = |listen: &str| reachable(listen.parse().unwrap()).to_string();
    assert_eq!(reach("0.0.0.0:80"), "127.0.0.1:80");
    assert_eq!(reach("[::]:80"), "[::1]:80");
    assert_eq!(reach("10.0.0.1:80"), "10.0.0.1:80");
    let variables = gcloud(&settings("[::]:9000"));
    let value = |name: &str| variables.iter().find(|v| v.name == name).unwrap().value.clone();
    assert_eq!(value("CLOUDSDK_PROXY_ADDRESS"), "[::1]");
    assert_eq!(value("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN"), "http://[::1]:9000/");
}

#[test]
fn the_shell_is_known_by_its_name() {
    assert_eq!(Shell::from_path("/usr/bin/fish"), Shell::Fish);
    assert_eq!(Shell::from_path("/opt/microsoft/powershell/7/pwsh"), Shell::Powershell);
    assert_eq!(Shell::from_path("/bin/zsh"), Shell::Sh);
    assert_eq!(Shell::from_path(""), Shell::Sh);
}

#[test]
fn powershell_ends_a_text_at_typographic_quotes_too() {
    assert_eq!(Shell::Powershell.quote("a'b\u{2019}c"), "'a''b\u{2019}\u{2019}c'");
}

/// Reads one quoted word as fish does.
fn read_fish(quoted: &str) -> Option<String> {
    let Some(inner) = quoted.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) else {
        return (!quoted.is_empty() && !quoted.contains(['\'', '\\', ' ', '$', ';']))
            .then(|| quoted.to_owned());
    };
    let mut text = String::new();
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => text.push(rest.next().filter(|c| matches!(c, '\\' | '\''))?),
            '\'' => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sh_reads_back_the_value(value in "([^\0]|['\"\\\\$`\n !*~]){0,24}") {
        let line = format!("{}\nprintf %s \"$VALUE\"", Shell::Sh.set("VALUE", &value));
        let output = Command::new("sh").args(["-c", &line]).output().unwrap();
        prop_assert!(output.status.success());
        prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
    }

    #[test]
    fn fish_reads_back_the_value(value in "([^\0]|['\"\\\\$ ]){0,24}") {
        prop_assert_eq!(read_fish(&Shell::Fish.quote(&value)), Some(value));
    }
}
