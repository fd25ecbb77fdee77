//! What does a token say, and who signed it?

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::Value;

/// A JWT, taken apart without any check.
#[derive(Debug, Clone)]
pub struct Jwt {
    /// The header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
    /// The third part as it stands there.
    pub signature: String,
    parts: [String; 3],
}

impl Jwt {
    /// Takes a token apart.
    #[track_caller]
    pub fn read(token: &str) -> Self {
        let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let parts: [String; 3] = parts.try_into().expect("a JWT has three parts");
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        Self { header: json(&parts[0]), claims: json(&parts[1]), signature: parts[2].clone(), parts }
    }

    /// The token with another header, under the same signature.
    pub fn with_header(&self, header: &Value) -> String {
        format!("{}.{}.{}", encoded(header), self.parts[1], self.parts[2])
    }

    /// The token with other claims, under the same signature.
    pub fn with_claims(&self, claims: &Value) -> String {
        format!("{}.{}.{}", self.parts[0], encoded(claims), self.parts[2])
    }

    /// The token without its signature; the dot stays.
    pub fn unsigned(&self) -> String {
        format!("{}.{}.", self.parts[0], self.parts[1])
    }
}

/// Checks the signature of a token by a JWK set, as a client library does, and nothing else.
///
/// # Errors
/// If the set does not have the key, or the signature does not match.
pub fn check_signature(token: &str, jwks: &Value) -> Result<(), String> {
    let set: JwkSet = serde_json::from_value(jwks.clone()).map_err(|error| error.to_string())?;
    let kid = Jwt::read(token).header["kid"].as_str().unwrap_or_default().to_owned();
    let jwk = set.find(&kid).ok_or_else(|| format!("the set has no key {kid}"))?;
    let key = DecodingKey::from_jwk(jwk).map_err(|error| error.to_string())?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    jsonwebtoken::decode::<Value>(token, &key, &validation).map(drop).map_err(|error| error.to_string())
}

/// Whether a certificate in PEM holds the modulus of a JWK.
#[track_caller]
pub fn certificate_holds(pem: &str, jwk: &Value) -> bool {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).unwrap();
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    der.windows(modulus.len()).any(|window| window == modulus)
}

/// Bytes in base64, as a JSON field holds them.
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Bytes in the URL-safe alphabet, in which gcloud sends etags back.
pub fn url_safe_base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE.encode(bytes)
}

/// The bytes that a JSON field holds in base64.
#[track_caller]
pub fn from_base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// The moment in a `resourceVersion`, in microseconds since the epoch.
#[track_caller]
pub fn version_micros(version: &Value) -> i64 {
    let bytes = STANDARD_NO_PAD.decode(version.as_str().unwrap()).unwrap();
    i64::from_be_bytes(bytes.try_into().expect("a version has 8 bytes"))
}

/// A JWT without a signature, such as nobody checks.
pub fn unsigned_jwt(header: &Value, claims: &Value) -> String {
    format!("{}.{}.AA", encoded(header), encoded(claims))
}

/// A JWT that this private key (RSA-2048, PKCS#8, PEM) signs with RS256 and that names it by `kid`.
#[track_caller]
pub fn signed_jwt(private_key: &str, kid: &str, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(kid.to_owned());
    let body: String = private_key.lines().filter(|line| !line.starts_with("-----")).collect();
    let pkcs8 = STANDARD.decode(body).unwrap();
    // PKCS#8 of such a key is 26 bytes, and then the PKCS#1 that the library wants.
    let key = EncodingKey::from_rsa_der(&pkcs8[26..]);
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

/// A JWT that looks as if a key had signed it that nobody here knows.
pub fn foreign_jwt(header: &Value, claims: &Value) -> String {
    format!("{}.{}.{}", encoded(header), encoded(claims), URL_SAFE_NO_PAD.encode([7; 256]))
}

/// A JWT with this header that is signed by HMAC-SHA256 with a secret.
#[track_caller]
pub fn symmetric_jwt(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let key = EncodingKey::from_secret(secret);
    let tag = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{signed}.{tag}")
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
