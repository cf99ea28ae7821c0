//! The endpoint of a WireGuard peer.

use std::{
    fmt,
    net::{AddrParseError, SocketAddr},
    str::FromStr,
};

use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::error::{Error, Result};

/// An address with a port. An IPv6 address may have a zone: `[fe80::1%eth0]:51820`.
#[derive(Clone, Debug, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
pub struct Endpoint {
    address: SocketAddr,
    /// The name of the link, if the zone is a name. If the zone is an index, the address has it.
    link: Option<String>,
}

impl Endpoint {
    /// Returns the address. Its index is 0 if the zone is a name.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the name of the link, if the zone is a name.
    pub fn link(&self) -> Option<&str> {
        self.link.as_deref()
    }

    /// Returns the index of the link, if the zone is an index: `[fe80::1%2]:51820`.
    pub const fn link_index(&self) -> Option<u32> {
        match self.address {
            SocketAddr::V6(address) if address.scope_id() != 0 => Some(address.scope_id()),
            _ => None,
        }
    }

    /// Returns the endpoint with an index as its zone, which the kernel needs.
    #[must_use]
    pub fn on(self, index: u32) -> Self {
        match self.address {
            SocketAddr::V6(mut address) => {
                address.set_scope_id(index);
                Self { address: address.into(), link: None }
            }
            SocketAddr::V4(_) => self,
        }
    }

    /// Returns the endpoint with a name as its zone.
    #[must_use]
    pub fn called(self, name: &str) -> Self {
        let Self { address, .. } = self.on(0);
        Self { address, link: address.is_ipv6().then(|| name.to_owned()) }
    }

    /// Returns the address for the kernel. Fails if the zone is a name.
    pub(super) fn known(&self) -> Result<SocketAddr> {
        match &self.link {
            None => Ok(self.address),
            Some(_) => {
                Err(Error::InvalidArgument(format!("the link of the endpoint '{self}' must be given by its index")))
            }
        }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self { address, link: None }
    }
}

impl FromStr for Endpoint {
    type Err = AddrParseError;

    fn from_str(text: &str) -> std::result::Result<Self, AddrParseError> {
        let whole = text.parse();
        if let Ok(address) = whole {
            return Ok(Self { address, link: None });
        }
        let Some((link, address)) = parts(text) else { return whole.map(Self::from) };
        Ok(Self { address: address.parse()?, link: Some(link.to_owned()) })
    }
}

/// Splits `[fe80::1%eth0]:51820` into the name of the link and the rest. The name of a link may contain a bracket.
fn parts(text: &str) -> Option<(&str, String)> {
    let (address, rest) = text.strip_prefix('[')?.split_once('%')?;
    let (link, port) = rest.rsplit_once("]:")?;
    (!link.is_empty()).then(|| (link, format!("[{address}]:{port}")))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.link, self.address) {
            (Some(link), SocketAddr::V6(address)) => write!(formatter, "[{}%{link}]:{}", address.ip(), address.port()),
            _ => self.address.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        for text in
            ["192.0.2.1:51820", "[2001:db8::1]:51820", "[fe80::1%eth0]:51820", "[fe80::1%7]:1", "[fe80::1%a]b]:9"]
        {
            assert_eq!(endpoint(text).to_string(), text);
            assert_eq!(serde_json::to_value(endpoint(text)).unwrap(), text);
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        let wrong =
            ["host:1", "fe80::1%eth0:1", "[fe80::1%]:1", "[fe80::1%eth0]", "[192.0.2.1%eth0]:1", "192.0.2.1%eth0:1"];
        for text in wrong {
            text.parse::<Endpoint>().unwrap_err();
        }
    }

    #[test]
    fn its_link_is_known_by_a_name_or_by_an_index() {
        let named = endpoint("[fe80::1%eth0]:51820");
        assert_eq!((named.link(), named.link_index()), (Some("eth0"), None));
        let error = named.known().unwrap_err().to_string();
        assert!(error.contains("'[fe80::1%eth0]:51820'"), "{error}");
        let numbered = named.clone().on(7);
        assert_eq!((numbered.link(), numbered.link_index()), (None, Some(7)));
        assert_eq!(numbered, endpoint("[fe80::1%7]:51820"));
        assert_eq!(numbered.known().unwrap(), "[fe80::1%7]:51820".parse().unwrap());
        assert_eq!(numbered.called("eth0"), named);
        assert_eq!(endpoint("192.0.2.1:1").on(7).called("eth0"), endpoint("192.0.2.1:1"));
    }
}
