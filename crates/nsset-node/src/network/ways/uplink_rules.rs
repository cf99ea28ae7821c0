//! The rules of an uplink, from JavaScript.

use napi_derive::napi;
use nsset::Error;
use nsset_uplink::{NamePattern, Protocol, Rule};

/// A rule about addresses or names, ports and protocols.
#[napi(object, object_to_js = false)]
pub struct NativeRule {
    /// A host name, `*.DOMAIN`, or `*`.
    pub host: Option<String>,
    pub cidr: Option<String>,
    pub first_port: Option<u16>,
    pub last_port: Option<u16>,
    /// `tcp`, `udp` or `icmp`.
    pub protocol: Option<String>,
}

pub fn rules(given: Vec<NativeRule>) -> nsset::Result<Vec<Rule>> {
    given.into_iter().map(rule).collect()
}

fn rule(given: NativeRule) -> nsset::Result<Rule> {
    let unreadable = |text: &str| Error::InvalidArgument(format!("the rule has the unreadable value '{text}'"));
    let range = given.cidr.map(|cidr| cidr.parse().map_err(|_| unreadable(&cidr))).transpose()?;
    let protocol = match given.protocol.as_deref() {
        None => None,
        Some("tcp") => Some(Protocol::Tcp),
        Some("udp") => Some(Protocol::Udp),
        Some("icmp") => Some(Protocol::Icmp),
        Some(other) => return Err(unreadable(other)),
    };
    let ports = given.first_port.map(|first| first..=given.last_port.unwrap_or(first));
    Ok(Rule { name: given.host.as_deref().map(NamePattern::new), range, ports, protocol })
}
