//! Do the file and the defaults say what they should, and are slips told with their line?

use std::path::Path;

use super::file::parse;
use super::*;

fn read(text: &str) -> Options {
    parse(text, Path::new("groundrun.yaml")).unwrap()
}

fn refusal(text: &str) -> String {
    parse(text, Path::new("dir/groundrun.yaml")).unwrap_err().to_string()
}

#[test]
fn a_file_may_set_every_option() {
    let options = read(
        "listen: 127.0.0.1:9000\nproject: p\nregion: europe-west1\ndataDir: /srv/groundrun\nephemeral: false\n\
         revisionPolicy: template\nurlStyle: hosted\nhttpsRedirect: true\nexplain: true\nstrictIdentity: true\nstrictEtags: true\nenforceApiIam: true\n\
         metadataAccount: sa@p.iam.gserviceaccount.com\niamPropagation: 2m\n\
         internalListen: 127.0.0.1:9001\nlog: debug\ngroups:\n  devs@example.com: [user:dev@example.com, ops@example.com]\n\
         domains:\n  corp.test: [ada@gmail.test]\n\
         rules:\n- {image: team/*, url: \"http://127.0.0.1:3000\"}\nloadBalancers: []\n",
    );
    let expected = Settings {
        listen: "127.0.0.1:9000".parse().unwrap(),
        project: "p".to_owned(),
        region: "europe-west1".to_owned(),
        data_dir: PathBuf::from("/srv/groundrun"),
        ephemeral: false,
        revision_policy: RevisionPolicy::Template,
        url_style: UrlStyle::Hosted,
        https_redirect: true,
        explain: true,
        strict_identity: true,
        strict_etags: true,
        enforce_api_iam: true,
        metadata_account: "sa@p.iam.gserviceaccount.com".to_owned(),
        iam_propagation: "120s".parse().unwrap(),
        internal_listen: "127.0.0.1:9001".parse().unwrap(),
        log: LogLevel::Debug,
        groups: listed("devs@example.com", &["user:dev@example.com", "ops@example.com"]),
        domains: listed("corp.test", &["ada@gmail.test"]),
        load_balancers: Vec::new(),
        rules: vec![RuleEntry { image: "team/*".to_owned(), url: "http://127.0.0.1:3000".to_owned() }],
    };
    assert_eq!(options.resolve().unwrap(), expected);
}

fn listed(name: &str, members: &[&str]) -> BTreeMap<String, Vec<String>> {
    [(name.to_owned(), members.iter().map(ToString::to_string).collect())].into()
}

#[test]
fn a_rule_that_is_none_is_named() {
    let refused = |text: &str| read(text).resolve().unwrap_err().to_string();
    assert_eq!(
        refused("rules:\n- {image: a, url: \"http://127.0.0.1:1\"}\n- {image: b, url: 127.0.0.1:3000}\n"),
        "rules: rules[1].url: a URL of a server begins with http://"
    );
    assert!(refusal("rules:\n- {image: a, uri: x}\n").contains("unknown key `uri`"));
}

#[test]
fn an_entry_of_a_group_or_domain_that_is_none_is_named() {
    let refused = |text: &str| read(text).resolve().unwrap_err().to_string();
    assert_eq!(
        refused("groups:\n  devs@example.com: [dev@example.com, nobody]\n"),
        "groups: groups.devs@example.com[1]: 'nobody' is not an email address."
    );
    assert_eq!(
        refused("groups:\n  a@example.com: [group:b@example.com]\n"),
        "groups: groups.a@example.com[0]: the group b@example.com is not listed under groups."
    );
    assert_eq!(refused("domains:\n  corp: []\n"), "domains: 'corp' is not a domain.");
    assert_eq!(refused("groups:\n  devs: []\n"), "groups: 'devs' is not an email address.");
}

#[test]
fn a_delay_is_spelled_with_its_unit() {
    let seconds = |text: &str| text.parse::<Delay>().map(Delay::seconds);
    assert_eq!(
        (seconds("60s"), seconds("2m"), seconds("1h"), seconds("none")),
        (Ok(60), Ok(120), Ok(3600), Ok(0))
    );
    for bad in ["60", "s", "-1s", "1.5m", "25h", "", "9223372036854775807h", "1é"] {
        assert!(seconds(bad).unwrap_err().contains("is not a duration"), "{bad}");
    }
    assert!(refusal("iamPropagation: soon\n").contains("'soon' is not a duration"));
}

#[test]
fn a_second_address_may_be_none() {
    let read = |text: &str| text.parse::<OtherAddress>().map(OtherAddress::get);
    assert_eq!(read("none"), Ok(None));
    assert_eq!(read("127.0.0.1:8787"), Ok(Some("127.0.0.1:8787".parse().unwrap())));
    assert!(read("8787").unwrap_err().contains("'8787' is not an address and a port"));
    assert_eq!(Settings::default().serve_options().internal_listen, None);
}

#[test]
fn a_file_without_content_sets_nothing() {
    assert_eq!(read(""), Options::default());
    assert_eq!(read("# project: demo\n"), Options::default());
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_key_that_was_meant() {
    let told = |key: &str| refusal(&format!("# options\nproject: demo\n{key}: x\n"));
    let meant =
        |key: &str, name: &str| format!("dir/groundrun.yaml:3: unknown key `{key}`; did you mean `{name}`?");
    assert_eq!(told("data-dir"), meant("data-dir", "dataDir"));
    assert_eq!(told("data_dir"), meant("data_dir", "dataDir"));
    assert_eq!(told("regoin"), meant("regoin", "region"));
    assert_eq!(told("listenAddress"), meant("listenAddress", "listen"));
    assert_eq!(
        told("quux"),
        "dir/groundrun.yaml:3: unknown key `quux`; known are listen, project, region, dataDir, ephemeral, \
         revisionPolicy, urlStyle, httpsRedirect, explain, strictIdentity, strictEtags, enforceApiIam, metadataAccount, \
         iamPropagation, internalListen, log, groups, domains, rules, loadBalancers"
    );
}

#[test]
fn a_value_of_another_type_is_told_with_its_line() {
    let files = [
        "project: p\nlisten: here\n",
        "\nephemeral: perhaps\n",
        "revisionPolicy: sometimes\n",
        "- project\n",
        "project: a\nproject: b\n",
        "project: [a\n",
    ];
    insta::assert_snapshot!(files.map(refusal).join("\n"));
}

#[test]
fn a_name_that_google_would_refuse_is_refused() {
    let refuse = |options: Options| options.resolve().unwrap_err().to_string();
    assert!(refuse(read("project: Demo")).starts_with("project: 'Demo' is not a project id"));
    assert!(refuse(read("region: here")).starts_with("region: 'here' is not a region"));
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let named = ConfigFile { config: Some(PathBuf::from("no/such.yaml")) };
    assert!(named.read().unwrap_err().to_string().starts_with("no/such.yaml: cannot be read"));
}

#[test]
fn in_memory_wins_over_a_data_directory() {
    let settings = read("ephemeral: true\ndataDir: /srv").resolve().unwrap();
    assert_eq!(settings.serve_options().data_dir, None);
    assert_eq!(Settings::default().serve_options().data_dir, Some(PathBuf::from(".groundrun")));
}
