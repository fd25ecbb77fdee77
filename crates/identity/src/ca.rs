//! Who vouches for the hosts that the emulator answers for over TLS?
//!
//! A certificate authority of the emulator's own. Clients that were told to trust it may call
//! `https://run.googleapis.com` or the URL of a service and land here; nobody else is fooled by it. Its
//! private key and those of the leaves never leave this crate: a leaf is handed out as what the TLS library
//! serves.

mod error;
mod kept;
mod name;
mod trust;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use aws_lc_rs::digest;
use groundrun_model::Timestamp;
use moka::sync::Cache;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData as _,
};
use time::OffsetDateTime;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs as provider};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

pub use self::error::CaError;
pub use self::name::LeafName;
pub use self::trust::{bundle, java_trust_store};

/// The seconds of a day.
const DAY: i64 = 86_400;

/// How long the authority lives, in days: about ten years, so that it is trusted once.
const CA_DAYS: i64 = 3_652;

/// How long a leaf lives, in days. Together with [`EARLIER_DAYS`] at most 398: what browsers accept.
const LEAF_DAYS: i64 = 360;

/// How long before the moment of its making a certificate begins, in days, for clients whose clocks are late.
const EARLIER_DAYS: i64 = 30;

/// How many leaves are remembered. Names come from clients: there is no end of them.
const LEAVES: u64 = 512;

/// How long a leaf is remembered: far shorter than it lives.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// What a client may choose to speak after the handshake, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The certificate authority of an emulator. Cheap to clone.
///
/// The first random number costs the cryptographic library longer than the whole start of the server. So
/// what is not kept is made when it is first needed, or by a thread of its own.
#[derive(Clone)]
pub struct Ca(Arc<LazyLock<Made, Making>>);

type Made = Result<Inner, CaError>;

type Making = Box<dyn FnOnce() -> Made + Send>;

struct Inner {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    id: String,
    template: OnceLock<Template>,
    leaves: Cache<LeafName, Arc<ServerConfig>>,
}

/// What all leaves have in common.
struct Template {
    /// One key for all: they differ in their names alone, and a key is the dear part.
    key: KeyPair,
    signer: Arc<dyn SigningKey>,
    /// Sessions can be resumed across the connections of a name.
    config: ServerConfig,
}

impl Ca {
    /// The authority that is kept in `dir`: `ca.pem` (public) and `ca-key.pem` (PKCS#8, mode 0600). What is
    /// not there is made, valid for about ten years from `now`; what is there is never replaced. The
    /// directory is made, of mode 0700.
    ///
    /// # Errors
    /// A directory or a file that cannot be read or written; a damaged file, a certificate without its key
    /// or of another key.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self, CaError> {
        if let Some((key, certificate)) = kept::read(dir)? {
            let inner = Inner::new(key, certificate);
            return Ok(Self::lazy(move || Ok(inner)));
        }
        let dir = dir.to_owned();
        let ca =
            Self::lazy(move || kept::make(&dir, now).map(|(key, certificate)| Inner::new(key, certificate)));
        let making = ca.clone();
        let thread = std::thread::Builder::new().name("local-ca".to_owned());
        let making = thread.spawn(move || {
            if let Err(error) = making.inner() {
                tracing::error!(%error, "there is no local CA");
            }
        });
        // Without a thread it is made when it is first needed.
        making.map_or_else(|error| tracing::debug!(%error, "no thread for the local CA"), drop);
        Ok(ca)
    }

    /// An authority that lives as long as the process. It is made when it is first needed.
    pub fn in_memory(now: Timestamp) -> Self {
        Self::lazy(move || {
            let key = generate()?;
            let certificate = certify(&key, now)?;
            Ok(Inner::new(key, certificate))
        })
    }

    fn lazy(make: impl FnOnce() -> Made + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(make))))
    }

    /// The authority, which may have to be made yet: that takes some 50 ms.
    fn inner(&self) -> Result<&Inner, CaError> {
        LazyLock::force(&self.0).as_ref().map_err(CaError::make)
    }

    /// What tells this authority from others: 16 hexadecimal digits, a function of its public key. Its
    /// common name ends with it.
    ///
    /// # Errors
    /// If it could not be made or kept.
    pub fn id(&self) -> Result<&str, CaError> {
        Ok(&self.inner()?.id)
    }

    /// The certificate that clients must trust, in PEM form. It is public.
    ///
    /// # Errors
    /// If it could not be made or kept.
    pub fn pem(&self) -> Result<String, CaError> {
        Ok(trust::pem(&self.inner()?.certificate))
    }

    /// What is served over TLS as `name`: a certificate for that name alone, valid around `now` for at most
    /// 398 days, with the protocols HTTP/2 and HTTP/1.1. Made at the first call and remembered for a day,
    /// among a bounded number.
    ///
    /// # Errors
    /// If the cryptographic library cannot sign, or the authority could not be made or kept.
    pub fn leaf(&self, name: &LeafName, now: Timestamp) -> Result<Arc<ServerConfig>, CaError> {
        let inner = self.inner()?;
        if let Some(leaf) = inner.leaves.get(name) {
            return Ok(leaf);
        }
        let leaf = Arc::new(inner.make_leaf(name, now)?);
        inner.leaves.insert(name.clone(), Arc::clone(&leaf));
        Ok(leaf)
    }
}

impl Inner {
    fn new(key: KeyPair, certificate: CertificateDer<'static>) -> Self {
        Self {
            id: id(&key),
            issuer: Issuer::new(params(&id(&key)), key),
            certificate,
            template: OnceLock::new(),
            leaves: Cache::builder().max_capacity(LEAVES).time_to_live(REMEMBERED).build(),
        }
    }

    fn template(&self) -> Result<&Template, CaError> {
        if let Some(template) = self.template.get() {
            return Ok(template);
        }
        let template = Template::new(&self.certificate)?;
        Ok(self.template.get_or_init(|| template))
    }

    fn make_leaf(&self, name: &LeafName, now: Timestamp) -> Result<ServerConfig, CaError> {
        let template = self.template()?;
        // Without the authority itself, which whoever trusts it has.
        let leaf = self.sign_leaf(name, &template.key, now)?;
        let certified = CertifiedKey::new(vec![leaf], Arc::clone(&template.signer));
        let mut config = template.config.clone();
        config.cert_resolver = Arc::new(SingleCertAndKey::from(certified));
        Ok(config)
    }

    fn sign_leaf(
        &self,
        name: &LeafName,
        key: &KeyPair,
        now: Timestamp,
    ) -> Result<CertificateDer<'static>, CaError> {
        let mut params = CertificateParams::default(); // of a random serial number
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name.common_name());
        params.subject_alt_names = vec![name.alternative_name()?];
        (params.not_before, params.not_after) = validity(now, LEAF_DAYS)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(key, &self.issuer).map_err(CaError::make)?;
        Ok(leaf.der().clone())
    }
}

/// Which authority it is: never a key.
impl fmt::Debug for Ca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = LazyLock::get(&self.0).and_then(|made| made.as_ref().ok()).map(|inner| &inner.id);
        f.debug_struct("Ca").field("id", &id).finish_non_exhaustive()
    }
}

impl Template {
    /// The certificate stands in for that of a leaf until there is one.
    fn new(certificate: &CertificateDer<'static>) -> Result<Self, CaError> {
        let key = generate()?;
        let der = PrivateKeyDer::try_from(key.serialize_der()).map_err(CaError::make)?;
        let signer =
            provider::default_provider().key_provider.load_private_key(der).map_err(CaError::make)?;
        let certified = CertifiedKey::new(vec![certificate.clone()], Arc::clone(&signer));
        Ok(Self { key, signer, config: base(certified)? })
    }
}

fn base(certified: CertifiedKey) -> Result<ServerConfig, CaError> {
    let provider: Arc<CryptoProvider> = Arc::new(provider::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(CaError::make)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = PROTOCOLS.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(config)
}

fn generate() -> Result<KeyPair, CaError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(CaError::make)
}

/// The certificate of the authority with this key, signed by itself.
fn certify(key: &KeyPair, now: Timestamp) -> Result<CertificateDer<'static>, CaError> {
    let mut params = params(&id(key));
    (params.not_before, params.not_after) = validity(now, CA_DAYS)?;
    Ok(params.self_signed(key).map_err(CaError::make)?.der().clone())
}

/// What of the authority stands in each of its leaves: a function of the key, so that the certificate need
/// not be taken apart again.
fn params(id: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "groundrun");
    params.distinguished_name.push(DnType::CommonName, common_name(id));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn common_name(id: &str) -> String {
    format!("groundrun local CA {id}")
}

fn id(key: &KeyPair) -> String {
    let hash = digest::digest(&digest::SHA256, &key.subject_public_key_info());
    hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn validity(now: Timestamp, days: i64) -> Result<(OffsetDateTime, OffsetDateTime), CaError> {
    let moment = |days: i64| OffsetDateTime::from_unix_timestamp(now.seconds().saturating_add(days * DAY));
    Ok((moment(-EARLIER_DAYS).map_err(CaError::make)?, moment(days).map_err(CaError::make)?))
}

/// The one certificate in `pem`, if it is that of the authority with this key.
fn read_certificate(pem: &[u8], key: &KeyPair) -> Result<CertificateDer<'static>, &'static str> {
    let mut found = CertificateDer::pem_slice_iter(pem);
    let (Some(Ok(certificate)), None) = (found.next(), found.next()) else {
        return Err("it does not hold one whole certificate");
    };
    if RootCertStore::empty().add(certificate.clone()).is_err() {
        return Err("its certificate cannot be read");
    }
    let holds = |part: &[u8]| certificate.windows(part.len()).any(|window| window == part);
    // The name is derived from the key, so both hold or neither.
    if !holds(&key.subject_public_key_info()) || !holds(common_name(&id(key)).as_bytes()) {
        return Err("its certificate is not that of the key in ca-key.pem");
    }
    Ok(certificate)
}
