//! Is the authority made once, kept, and trusted by a TLS library for what it signs and nothing else?

use std::fs;
use std::path::Path;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};

use super::*;

/// The moment of every test: 2026-08-16T09:23:43Z.
const NOW: Timestamp = Timestamp::from_seconds(1_786_872_223);

/// Whether a client that trusts `ca` takes the leaf that `by` makes for `name` for that of `called`.
fn accepted(ca: &Ca, by: &Ca, name: &str, called: &str, at: Timestamp) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.pem().unwrap().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(provider::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let leaf = {
        let by = by.inner().unwrap();
        by.sign_leaf(&LeafName::parse(name).unwrap(), &by.template().unwrap().key, NOW).unwrap()
    };
    let called = ServerName::try_from(called.to_owned()).unwrap();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at.seconds().try_into().unwrap()));
    verifier.verify_server_cert(&leaf, &[], &called, &[], at).map(|_| ()).map_err(|error| error.to_string())
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn damage(directory: &Path) -> String {
    let error = Ca::open(directory, NOW).unwrap_err();
    assert!(matches!(error, CaError::Damaged { .. }), "{error}");
    error.to_string()
}

#[test]
fn a_leaf_is_trusted_for_its_name_and_no_other() {
    let ca = Ca::in_memory(NOW);
    for name in
        ["run.googleapis.com", "green---hello-abc-uc.a.run.app", "127.0.0.1", "::1", "under_score.test"]
    {
        accepted(&ca, &ca, name, name, NOW).unwrap();
        accepted(&ca, &ca, name, "example.com", NOW).unwrap_err();
    }
    accepted(&ca, &ca, "Run.GoogleAPIs.com.", "run.googleapis.com", NOW).unwrap();
    accepted(&ca, &ca, "run.app", "a.run.app", NOW).unwrap_err();
    let long = format!("{}.test", ["a"; 100].join("."));
    accepted(&ca, &ca, &long, &long, NOW).unwrap();
}

#[test]
fn nobody_trusts_the_leaf_of_another_authority() {
    let (ca, other) = (Ca::in_memory(NOW), Ca::in_memory(NOW));
    assert_ne!(ca.id().unwrap(), other.id().unwrap());
    accepted(&ca, &other, "run.googleapis.com", "run.googleapis.com", NOW).unwrap_err();
}

#[test]
fn a_leaf_lives_for_at_most_398_days_around_now() {
    let ca = Ca::in_memory(NOW);
    let at = |days: i64| accepted(&ca, &ca, "a.test", "a.test", NOW.plus_seconds(days * DAY));
    assert!(at(-29).is_ok() && at(359).is_ok());
    assert!(at(-31).is_err() && at(361).is_err());
    const { assert!(EARLIER_DAYS + LEAF_DAYS <= 398) };
}

#[test]
fn what_is_no_host_name_gets_no_certificate() {
    for name in
        ["", ".", "a..b", "-a.test", "a-.test", "*.run.app", "a b", "a/b", "é.test", "a\0b", "[a]", "a:443"]
    {
        assert_eq!(LeafName::parse(name), None, "{name:?}");
    }
    assert_eq!(LeafName::parse(&"a".repeat(64)), None);
    assert_eq!(LeafName::parse(&format!("{}.test", ["a"; 150].join("."))), None);
    assert_eq!(LeafName::parse("[::1]"), LeafName::parse("::1"));
    assert_eq!(LeafName::parse("::ffff:127.0.0.1"), LeafName::parse("127.0.0.1"));
}

#[test]
fn leaves_are_remembered_in_a_bounded_number() {
    let ca = Ca::in_memory(NOW);
    let leaf = |name: &str| ca.leaf(&LeafName::parse(name).unwrap(), NOW).unwrap();
    assert!(Arc::ptr_eq(&leaf("a.test"), &leaf("A.test.")));
    for number in 0..1_000 {
        leaf(&format!("host-{number}.test"));
    }
    ca.inner().unwrap().leaves.run_pending_tasks();
    assert!(
        ca.inner().unwrap().leaves.entry_count() <= LEAVES,
        "{}",
        ca.inner().unwrap().leaves.entry_count()
    );
}

#[test]
fn it_is_made_once_kept_and_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data/ca");
    let ca = Ca::open(&path, NOW).unwrap();
    ca.pem().unwrap();
    assert_eq!(names(&path), ["ca-key.pem", "ca.pem"]);
    #[cfg(unix)]
    {
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("ca-key.pem")), 0o600);
        assert_eq!(mode(&path.join("ca.pem")), 0o644);
    }
    assert_eq!(fs::read_to_string(path.join("ca.pem")).unwrap(), ca.pem().unwrap());
    let again = Ca::open(&path, NOW.plus_seconds(DAY)).unwrap();
    assert_eq!((again.pem().unwrap(), again.id().unwrap()), (ca.pem().unwrap(), ca.id().unwrap()));
    accepted(&ca, &again, "a.test", "a.test", NOW).unwrap();
    let shown = format!("{ca:?}");
    assert_eq!(shown, format!("Ca {{ id: Some(\"{}\"), .. }}", ca.id().unwrap()));
}

/// A process that is killed after the key leaves a key; one that is killed while it writes leaves a part.
#[test]
fn whatever_a_killed_process_left_is_completed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let id = Ca::open(path, NOW).unwrap().id().unwrap().to_owned();
    fs::remove_file(path.join("ca.pem")).unwrap();
    fs::write(path.join(".ca.x.tmp"), "half").unwrap();
    fs::write(path.join(".ca-key.x.tmp"), "half").unwrap();
    assert_eq!(Ca::open(path, NOW).unwrap().id().unwrap(), id);
    assert_eq!(names(path), ["ca-key.pem", "ca.pem"]);
}

#[test]
fn what_is_damaged_is_named_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (path, other) = (directory.path().join("one"), directory.path().join("other"));
    Ca::open(&path, NOW).unwrap().pem().unwrap();
    Ca::open(&other, NOW).unwrap().pem().unwrap();
    let text = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    let (key, certificate) = (text("ca-key.pem"), text("ca.pem"));
    let foreign = fs::read_to_string(other.join("ca.pem")).unwrap();
    for broken in ["", "x", &certificate[..200], &key, &format!("{certificate}{foreign}"), &foreign] {
        fs::write(path.join("ca.pem"), broken).unwrap();
        let told = damage(&path);
        assert!(told.contains("ca.pem, a file of the local CA, is damaged (it"), "{told}");
        assert_eq!(text("ca.pem"), broken);
    }
    fs::write(path.join("ca.pem"), &certificate).unwrap();
    for broken in ["", &key[..100], &certificate] {
        fs::write(path.join("ca-key.pem"), broken).unwrap();
        let told = damage(&path);
        assert!(told.contains("does not hold a whole private key") && !told.contains("BEGIN"), "{told}");
        assert_eq!(text("ca-key.pem"), broken);
    }
    fs::remove_file(path.join("ca-key.pem")).unwrap();
    assert!(damage(&path).contains("it is missing and ca.pem is there"));
}

#[test]
fn a_bundle_holds_each_certificate_once_and_nothing_else() {
    let (one, other) = (Ca::in_memory(NOW).pem().unwrap(), Ca::in_memory(NOW).pem().unwrap());
    let noisy = format!("# a comment\n{other}\n{one}-----BEGIN X-----\nAAAA\n-----END X-----\n");
    assert_eq!(bundle([one.as_bytes(), noisy.as_bytes(), b"\xff"]), format!("{one}{other}"));
}

/// Byte by byte where it counts; that a Java reads it is a story of its own.
#[test]
fn a_java_trust_store_holds_the_certificates() {
    let pem = Ca::in_memory(NOW).pem().unwrap();
    let store = java_trust_store(pem.as_bytes(), NOW);
    assert_eq!(store[..12], [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1]);
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    assert_eq!(store[store.len() - 20 - der.len()..store.len() - 20], der[..]);
}
