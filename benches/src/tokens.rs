//! Who signs the tokens that the callers bring?
//!
//! A key of the benchmark, which groundrun is told to trust with `groundrun keys import`: so tokens can be
//! made ahead of time, as many as a round takes, and all contestants verify the same ones.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::Outcome;

/// By which id the tokens name the key.
pub(crate) const KEY_ID: &str = "bench-1";

/// Characters of a line of PEM.
const LINE: usize = 64;

/// Signs tokens.
#[derive(Debug)]
pub(crate) struct Signer {
    key: KeyPair,
    head: String,
}

impl Signer {
    /// A signer with a new key.
    pub(crate) fn new() -> Outcome<Self> {
        let key = KeyPair::generate(KeySize::Rsa2048)?;
        let head = json!({ "alg": "RS256", "kid": KEY_ID, "typ": "JWT" });
        Ok(Self { key, head: URL_SAFE_NO_PAD.encode(head.to_string()) })
    }

    /// The public key.
    pub(crate) fn pem(&self) -> Outcome<String> {
        let der: PublicKeyX509Der<'_> = self.key.public_key().as_der()?;
        let text = STANDARD.encode(der.as_ref());
        let lines: Vec<_> = text.as_bytes().chunks(LINE).map(String::from_utf8_lossy).collect();
        Ok(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n")))
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> Outcome<String> {
        let signed = format!("{}.{}", self.head, URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// So many tokens, of which no two are the same: each has a number, counted on in `last`.
    pub(crate) fn distinct(&self, claims: &Value, count: usize, last: &mut u64) -> Outcome<Vec<String>> {
        (0..count)
            .map(|_| {
                *last += 1;
                let mut claims = claims.clone();
                claims["jti"] = json!(last.to_string());
                self.sign(&claims)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    #[test]
    fn tokens_are_distinct_and_verify_with_the_key_that_is_shown() {
        let signer = Signer::new().unwrap();
        let pem = signer.pem().unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, STANDARD.decode(body).unwrap());
        let mut last = 0;
        let tokens = signer.distinct(&json!({ "aud": "a" }), 2, &mut last).unwrap();
        assert_ne!(tokens[0], tokens[1]);
        for token in tokens {
            let (signed, signature) = token.rsplit_once('.').unwrap();
            key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        }
    }
}
