//! Is the right header looked at, and does no signature reach an instance?

use groundrun_model::invoke::{Credential, CredentialHeader};
use groundrun_model::request::{SIGNATURE_REMOVED, without_signatures};

/// The values of the two headers: lines, of which those that begin with `s` are of
/// `X-Serverless-Authorization` and the others of `Authorization`.
pub fn credential(bytes: &[u8]) {
    let lines = || bytes.split(|byte| *byte == b'\n').filter_map(<[u8]>::split_first);
    let values = |is_serverless: bool| {
        lines().filter(move |(kind, _)| (**kind == b's') == is_serverless).map(|(_, value)| value)
    };
    let (credential, header) = Credential::pick(values(true), values(false));
    let counts = (values(true).count(), values(false).count());
    let checked = match counts {
        (0, 0) => {
            assert_eq!((credential, header), (Credential::None, None));
            return;
        }
        (0, _) => {
            assert_eq!(header, Some(CredentialHeader::Authorization));
            values(false).next().unwrap()
        }
        _ => {
            assert_eq!(header, Some(CredentialHeader::ServerlessAuthorization));
            // What stands in the other header is the application's.
            let alone = Credential::pick(values(true), std::iter::empty());
            assert_eq!((credential, header), alone);
            values(true).next().unwrap()
        }
    };
    assert!(credential != Credential::None, "a header that is there is never as good as none");
    if let Credential::Token(token) = credential {
        let one = if counts.0 > 0 { counts.0 } else { counts.1 };
        assert_eq!(one, 1, "a token out of one of several headers");
        picked(token, checked);
    }
    for (_, value) in lines() {
        stripped(value);
    }
}

fn picked(token: &str, value: &[u8]) {
    let text = std::str::from_utf8(value).unwrap();
    assert!(!token.contains([' ', '\t', ',']), "{token:?} are several tokens");
    assert!(text.trim_start().to_ascii_lowercase().starts_with("bearer "), "{text:?}");
    assert!(text.trim_end().ends_with(token), "{token:?} is not what stands in {text:?}");
    // What can pass as a token has three parts; of it nobody sees the third.
    let parts: Vec<&str> = token.split('.').collect();
    if let [_, _, signature] = parts[..]
        && !signature.is_empty()
    {
        let seen = without_signatures(value).expect("a token is stripped");
        let (before, _) = text.rsplit_once(signature).unwrap();
        assert!(seen.starts_with(before.as_bytes()));
        assert_eq!(&seen[before.len()..before.len() + SIGNATURE_REMOVED.len()], SIGNATURE_REMOVED.as_bytes());
    }
}

/// Every word of three parts lost the last, and nothing else changed.
fn stripped(value: &[u8]) {
    let seen = without_signatures(value);
    let words = |text: &[u8]| -> Vec<Vec<u8>> {
        text.split(|byte| b" \t,".contains(byte)).map(<[u8]>::to_vec).collect()
    };
    let Some(seen) = seen else {
        assert!(!words(value).iter().any(|word| dots(word) == 2), "a signature is left");
        return;
    };
    let (before, after) = (words(value), words(&seen));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        if dots(before) == 2 {
            let end = before.iter().rposition(|byte| *byte == b'.').unwrap();
            assert_eq!(*after, [&before[..=end], SIGNATURE_REMOVED.as_bytes()].concat());
        } else {
            assert_eq!(before, after);
        }
    }
    assert_eq!(without_signatures(&seen).unwrap_or_else(|| seen.clone()), seen, "stripped twice");
}

fn dots(word: &[u8]) -> usize {
    word.iter().filter(|byte| **byte == b'.').count()
}
