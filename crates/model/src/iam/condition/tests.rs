//! Is a condition compiled, refused and evaluated as documented?

use proptest::prelude::*;

use super::*;

const NAME: &str = "projects/demo-project/locations/us-central1/services/hello";

fn compile(expression: &str) -> Result<Compiled, Problem> {
    Condition { expression: expression.to_owned(), ..Condition::default() }.compile()
}

static RESOURCE: LazyLock<ConditionResource> = LazyLock::new(|| ConditionResource {
    name: NAME.into(),
    service: "run.googleapis.com",
    kind: "run.googleapis.com/Service",
});

fn request() -> ConditionRequest<'static> {
    ConditionRequest {
        // A Tuesday.
        time: Timestamp::parse("2026-11-24T23:30:00Z").unwrap(),
        host: Some("hello-123.us-central1.run.app"),
        path: Some("/admin/users"),
        resource: &RESOURCE,
    }
}

fn holds(expression: &str) -> bool {
    compile(expression).unwrap_or_else(|problem| panic!("{expression}: {problem}")).holds(&request()).unwrap()
}

#[test]
fn attributes_are_those_of_the_request() {
    for expression in [
        "true",
        "request.path == '/admin/users'",
        "request.path.startsWith(\"/admin/\") && request.host.endsWith('.run.app')",
        "request.host.contains('us-central1')",
        "request.path in ['/a', '/admin/users']",
        "!(request.path == '/a') || false",
        "resource.name.startsWith('projects/demo-project/')",
        "resource.name.extract('/services/{name}') == 'hello'",
        "resource.type == 'run.googleapis.com/Service' && resource.service == 'run.googleapis.com'",
        "request.time < timestamp('2030-01-01T00:00:00Z')",
        "request.time >= timestamp('2026-11-24T23:30:00Z')",
        "request.time - timestamp('2026-11-24T22:30:00Z') == duration('3600s')",
        "request.time.getHours() == 23 && request.time.getDayOfWeek() == 2",
        "request.time.getHours('Europe/Berlin') == 0 && request.time.getDate('Europe/Berlin') == 25",
        "request.time.getHours('-08:00') == 15 && request.time.getFullYear() == 2026",
        "request.path == '/a' ? false : true",
    ] {
        assert!(holds(expression), "{expression}");
    }
    for expression in ["false", "request.path == '/b'", "request.time > timestamp('2030-01-01T00:00:00Z')"] {
        assert!(!holds(expression), "{expression}");
    }
}

#[test]
fn a_call_of_the_api_has_no_host_and_no_path() {
    let request = ConditionRequest { host: None, path: None, ..request() };
    let path = compile("request.path == '/'").unwrap();
    assert_eq!(path.holds(&request), Err("the call has no request.path".to_owned()));
    assert_eq!(compile("request.path == '/' || true").unwrap().holds(&request), Ok(true));
    assert_eq!(compile("resource.name != ''").unwrap().holds(&request), Ok(true));
}

#[test]
fn what_cannot_be_a_condition_is_refused_with_its_place() {
    for (expression, place, words) in [
        ("request.path ==", (1, 16), "Syntax error"),
        ("true &&\n request.color == 'red'", (2, 10), "undefined field 'color'"),
        ("\"request.x\" == 'y' || request.x", (1, 31), "undefined field 'x'"),
        ("user == 'x'", (1, 1), "undeclared reference to 'user'"),
        ("api.getAttribute('x', [])", (1, 5), "undeclared reference to 'getAttribute'"),
        ("request.auth.claims == ''", (1, 14), "undefined field 'claims'"),
        ("request.auth == ''", (1, 9), "not emulated"),
        ("resource.matchTag('a/b', 'c')", (1, 10), "undeclared reference to 'matchTag'"),
        ("request.path.matches('^/a')", (1, 14), "undeclared reference to 'matches'"),
        ("size(request.path) > 3", (1, 1), "undeclared reference to 'size'"),
        ("request.path", (1, 1), "must be of type bool, not string"),
        ("request.path == 3", (1, 14), "no matching overload for '==' applied to '(string, int)'"),
        ("request.time > '2030'", (1, 14), "no matching overload for '>' applied to '(timestamp, string)'"),
        ("request.time > timestamp('soon')", (1, 16), "timestamp"),
        ("request.time.getHours('Mars/Olympus') > 3", (1, 14), "Mars/Olympus"),
        ("['a'].exists(x, x == 'a')", (1, 26), "macros"),
        ("request.path in {'a': 1}", (1, 17), "maps"),
        ("request.path[0] == 'a'", (1, 13), "nothing can be indexed"),
        ("null == null", (1, 1), "null"),
        ("", (1, 1), "Syntax error"),
    ] {
        let problem = compile(expression).expect_err(expression);
        assert!(problem.what.contains(words), "{expression}: {problem}");
        assert_eq!((problem.line, problem.column), place, "{expression}: {problem}");
        assert!(!problem.to_string().contains('\n'), "{problem}");
    }
}

#[test]
fn size_operators_and_nesting_are_bounded() {
    // On half of the stack that a thread of the server has.
    let bounded = std::thread::Builder::new().stack_size(1 << 20).spawn(are_bounded).unwrap();
    bounded.join().unwrap();
}

fn are_bounded() {
    let many = |count: usize| vec!["true"; count].join(" && ");
    assert!(compile(&many(13)).is_ok());
    assert!(compile(&many(14)).unwrap_err().what.contains("more than 12 logical operators"));
    for deep in [
        "(".repeat(LONGEST_EXPRESSION),
        "!".repeat(LONGEST_EXPRESSION),
        "-".repeat(LONGEST_EXPRESSION),
        "[".repeat(LONGEST_EXPRESSION),
        "{".repeat(LONGEST_EXPRESSION),
        "a.".repeat(2000),
        format!("1{} == 1", "+1".repeat(2000)),
        format!("1{}", "?1:1".repeat(1000)),
        "1?".repeat(2000),
        "-1+".repeat(1300),
        "[(".repeat(2000),
        "x(".repeat(2000),
        "1<(".repeat(1300),
        format!("request{}", ".path".repeat(800)),
        format!("request.path{}", ".extract('')".repeat(300)),
        format!("true{}", " || true".repeat(500)),
        "\"".repeat(LONGEST_EXPRESSION),
        "1e".repeat(2000),
        "9".repeat(4000),
        "x".repeat(LONGEST_EXPRESSION + 1),
    ] {
        assert!(compile(&deep).is_err(), "{}… of {} bytes", &deep[..20], deep.len());
    }
}

#[test]
fn extract_takes_what_the_template_names() {
    let extracted = extract::extracted;
    assert_eq!(extracted(NAME, "/services/{name}"), "hello");
    assert_eq!(extracted(NAME, "projects/{project}/"), "demo-project");
    assert_eq!(extracted(NAME, "{all}"), NAME);
    assert_eq!(extracted(NAME, "/locations/{l}/services"), "us-central1");
    assert_eq!(extracted(NAME, "/jobs/{name}"), "");
    assert_eq!(extracted(NAME, "/services/{name}/"), "");
    assert_eq!(extracted(NAME, "no template"), "");
}

proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(text in ".{0,80}") {
        if let Ok(compiled) = compile(&text) {
            let _ = compiled.holds(&request());
        }
    }

    #[test]
    fn no_soup_of_tokens_makes_it_panic(tokens in proptest::collection::vec(prop::sample::select(vec![
        "request", ".", "time", "path", "resource", "name", "(", ")", "[", "]", "{", "}", "'a'", "\"", "&&", "||", "!",
        "==", "<", "in", "?", ":", "1", "-", "+", "/", "%", "timestamp", "duration", "getHours", "extract", ",", "'1s'",
        "0", "9223372036854775807", "1.5", "true", " ", "\n", "\\", "é", "has", "r'", "b'", "0x", "1u", "//",
    ]), 0..30)) {
        if let Ok(compiled) = compile(&tokens.join(" ")) {
            let _ = compiled.holds(&request());
        }
        let _ = compile(&tokens.concat());
    }
}
