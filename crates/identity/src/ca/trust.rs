//! In which forms do clients want to be told whom to trust?
//!
//! Most libraries have one variable for one file that holds everything they trust, so a file with the local
//! CA alone would take the rest of the world from them: the bundle holds both. Java has a format of its own.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use groundrun_model::Timestamp;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

/// The password that everybody gives Java's trust stores. What is in there is public.
const JAVA_PASSWORD: &str = "changeit";

/// What Java mixes into the checksum of a trust store.
const JAVA_SALT: &[u8] = b"Mighty Aphrodite";

/// The certificate in PEM form.
pub(super) fn pem(certificate: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(certificate);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for (at, digit) in base64.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(digit);
    }
    pem + "\n-----END CERTIFICATE-----\n"
}

/// All certificates of these PEM texts as one, in their order and each once. What is no certificate in them
/// is left out.
pub fn bundle<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> String {
    let mut seen = std::collections::HashSet::new();
    let certificates = texts.into_iter().flat_map(CertificateDer::pem_slice_iter).flatten();
    certificates.filter(|one| seen.insert(one.clone())).map(|one| pem(&one)).collect()
}

/// The certificates of a PEM text as a trust store that every Java reads (JKS, password `changeit`).
/// `now` is the moment that it says it was made.
pub fn java_trust_store(pem: &[u8], now: Timestamp) -> Vec<u8> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).flatten().collect();
    let mut store = Vec::new();
    store.extend(0xfeed_feed_u32.to_be_bytes());
    store.extend(2_u32.to_be_bytes()); // the version of the format
    store.extend(length(certificates.len()));
    for (number, certificate) in certificates.iter().enumerate() {
        store.extend(2_u32.to_be_bytes()); // a certificate to trust, not a key
        push_text(&mut store, &format!("groundrun-{number}"));
        store.extend((now.micros() / 1_000).to_be_bytes());
        push_text(&mut store, "X.509");
        store.extend(length(certificate.len()));
        store.extend_from_slice(certificate);
    }
    let mut checksum = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    for unit in JAVA_PASSWORD.encode_utf16() {
        checksum.update(&unit.to_be_bytes());
    }
    checksum.update(JAVA_SALT);
    checksum.update(&store);
    store.extend_from_slice(checksum.finish().as_ref());
    store
}

fn length(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes()
}

/// A short ASCII text with its length before it.
fn push_text(store: &mut Vec<u8>, text: &str) {
    store.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    store.extend_from_slice(text.as_bytes());
}
