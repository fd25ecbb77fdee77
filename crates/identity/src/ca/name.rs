//! For which names may a certificate be made?

use std::net::IpAddr;

use rcgen::SanType;

use super::CaError;

/// The longest name of a host.
const LONGEST_NAME: usize = 253;

/// The longest part of a name between dots.
const LONGEST_LABEL: usize = 63;

/// The longest common name that X.509 allows.
const LONGEST_COMMON_NAME: usize = 64;

/// A host name or an address: what one certificate is made for. No wildcard is one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LeafName {
    /// A host name, in lower case and without a final dot.
    Host(Box<str>),
    /// An address.
    Address(IpAddr),
}

impl LeafName {
    /// Reads a host name or an address; IPv6 with or without brackets. `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = inner.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let good = name.len() <= LONGEST_NAME && name.split('.').all(is_label);
        good.then(|| Self::Host(name.to_ascii_lowercase().into()))
    }

    /// A common name is read by people only: one that would be too long is left out.
    pub(super) fn common_name(&self) -> String {
        match self {
            Self::Host(name) if name.len() > LONGEST_COMMON_NAME => "groundrun".to_owned(),
            Self::Host(name) => name.to_string(),
            Self::Address(address) => address.to_string(),
        }
    }

    pub(super) fn alternative_name(&self) -> Result<SanType, CaError> {
        Ok(match self {
            Self::Host(name) => SanType::DnsName(name.to_string().try_into().map_err(CaError::make)?),
            Self::Address(address) => SanType::IpAddress(*address),
        })
    }
}

fn is_label(label: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !label.is_empty()
        && label.len() <= LONGEST_LABEL
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(good)
}
