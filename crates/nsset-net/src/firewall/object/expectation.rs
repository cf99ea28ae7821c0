//! A connection that is expected after another one.

use serde::{Deserialize, Serialize};

use super::protocol::{Network, Transport};
use crate::{
    firewall::{
        expression::field::{HostWord, fields},
        family::Family,
    },
    netlink::{attributes::Malformed, nfnetlink::writer::Writer},
};

/// A connection that is expected after another one, to the same host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    pub protocol: Transport,
    pub port: u16,
    /// In milliseconds.
    pub timeout: u32,
    /// How many can be expected at once.
    pub size: u8,
    /// If it is not that of the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

fields! {
    /// `NFTA_CT_EXPECT_*`.
    Data { 1 => network: Option<u16>, 2 => transport: u8, 3 => port: u16, 4 => timeout: HostWord, 5 => size: u8 }
}

impl Expectation {
    pub(super) fn write(&self, writer: &mut Writer) {
        let (network, transport) = (self.family.map(Network::number), self.protocol.number());
        let data = Data { network, transport, port: self.port, timeout: HostWord(self.timeout), size: self.size };
        data.write(writer);
    }

    /// Returns `None` for one that has no name here.
    pub(super) fn read(data: &[u8], comment: Option<String>, table: Family) -> Result<Option<Self>, Malformed> {
        let Data { network, transport, port, timeout: HostWord(timeout), size } = Data::read_fields(data)?;
        let family = network.map_or(Some(None), |network| Network::beside(network, table));
        let (Some(protocol), Some(family)) = (Transport::of(transport), family) else { return Ok(None) };
        Ok(Some(Self { protocol, port, timeout, size, family, comment }))
    }
}
