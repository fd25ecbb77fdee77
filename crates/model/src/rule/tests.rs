//! Which images does a rule claim, and what is a server?

use super::*;

#[test]
fn a_star_stands_for_anything() {
    for (pattern, image, claimed) in [
        ("*", "", true),
        ("*", "a/b:c", true),
        ("a/b", "a/b", true),
        ("a/b", "a/b:1", false),
        ("a/*", "a/b", true),
        ("a/*", "a/", true),
        ("a/*", "ab", false),
        ("*/b:*", "x/b:1", true),
        ("*/b:*", "x/b", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "acb", false),
    ] {
        assert_eq!(matches(pattern, image), claimed, "{pattern} {image}");
    }
}

#[test]
fn a_server_is_a_host_and_a_port() {
    let authority = |url: &str| Upstream::parse(url).map(|upstream| upstream.authority().to_owned());
    assert_eq!(authority("http://127.0.0.1:3000"), Ok("127.0.0.1:3000".to_owned()));
    assert_eq!(authority("http://localhost:3000/"), Ok("localhost:3000".to_owned()));
    assert_eq!(authority("http://localhost"), Ok("localhost:80".to_owned()));
    assert_eq!(authority("http://localhost:/"), Ok("localhost:80".to_owned()));
    assert_eq!(authority("http://[::1]:3000"), Ok("[::1]:3000".to_owned()));
    for wrong in [
        "",
        "127.0.0.1:3000",
        "https://a:1",
        "http://",
        "http://a:1/x",
        "http://a:99999",
        "http://u@a:1",
        "http://a?x",
    ] {
        assert!(authority(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_first_rule_that_matches_counts_and_without_one_it_is_an_echo() {
    let entry = |image: &str, url: &str| RuleEntry { image: image.into(), url: url.into() };
    let rules = Rules::read(&[entry("team/a*", "http://127.0.0.1:1"), entry("team/*", "http://127.0.0.1:2")])
        .unwrap();
    let claimed = |image| match rules.claim(image) {
        Runs::Echo => "echo".to_owned(),
        Runs::Url(upstream) => upstream.authority().to_owned(),
    };
    assert_eq!([claimed("team/ab"), claimed("team/b"), claimed("b")], ["127.0.0.1:1", "127.0.0.1:2", "echo"]);
}

#[test]
fn every_entry_that_is_no_rule_is_named() {
    let entries = [RuleEntry { image: String::new(), url: "ftp://x".into() }];
    let error = Rules::read(&entries).unwrap_err();
    let fields: Vec<&str> = error.violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["rules[0].image", "rules[0].url"]);
}
