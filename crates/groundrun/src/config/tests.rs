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
         metadataAccount: sa@p.iam.gserviceaccount.com\n\
         log: debug\n",
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
        log: LogLevel::Debug,
    };
    assert_eq!(options.resolve().unwrap(), expected);
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
         log"
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
