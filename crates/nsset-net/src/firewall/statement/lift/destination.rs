//! Where packets are sent: new addresses, ports and links.

use super::{
    super::{Destination, Device, Port, Target},
    lifting::Lifting,
    register::{Content, word},
};
use crate::firewall::{
    matching::{data_type as types, operand::Operand},
    set::{found::element_operand, map_data::MapData},
};

impl Lifting<'_> {
    /// Returns new addresses and ports, of which these registers hold the first and the last.
    pub(super) fn new_ends(
        &self,
        addresses: [Option<u32>; 2],
        ports: [Option<u32>; 2],
    ) -> Option<(Option<Target>, Option<Port>)> {
        let [first, last] = addresses;
        let Some((first, Content::Mapped(mapped))) = first.and_then(|first| Some((first, self.content(first)?))) else {
            return Some((self.addresses(first, last)?.map(Target::Address), self.new_port(ports[0], ports[1])?));
        };
        // The kernel lists the first register twice if there is one address.
        let has_intervals = last.is_some_and(|last| word(last) != word(first));
        let size = if has_intervals { mapped.size / 2 } else { mapped.size };
        let address = match size {
            4 | 8 => &types::IPV4,
            16 | 20 => &types::IPV6,
            _ => return None,
        };
        let words = |size: usize| size as u32 / 4;
        if has_intervals && last.map(word) != Some(word(first) + words(size)) {
            return None;
        }
        if size == address.size {
            let to = mapped.to(&MapData::of(vec![address], has_intervals))?;
            return Some((Some(Target::Mapped(to)), self.new_port(ports[0], ports[1])?));
        }
        let port = word(first) + words(address.size);
        let last_port = if has_intervals { port + words(size) } else { port };
        let has_port = ports[0].map(word) == Some(port) && ports[1].is_none_or(|port| word(port) == last_port);
        let to = mapped.to(&MapData::of(vec![address, &types::PORT], has_intervals))?;
        has_port.then_some((Some(Target::Mapped(to)), None))
    }

    /// Returns the prefix whose first and last address are in registers.
    pub(super) fn prefix(&self, first: u32, last: u32) -> Option<Target> {
        let (first, last) = (self.constant(first)?, self.constant(last)?);
        let data = if first.len() == 4 { &types::IPV4 } else { &types::IPV6 };
        match element_operand(first, Some(last), data, true)? {
            Operand::Text(text) => Some(Target::Address(text)),
            _ => None,
        }
    }

    #[expect(clippy::option_option, reason = "as for addresses")]
    pub(super) fn new_port(&self, first: Option<u32>, last: Option<u32>) -> Option<Option<Port>> {
        if let Some((first, Content::Mapped(mapped))) = first.and_then(|first| Some((first, self.content(first)?))) {
            let is_one = last.is_none_or(|last| last == first) && mapped.size == types::PORT.size;
            return is_one.then_some(Some(Port::Mapped(mapped.to(&MapData::Values(vec![&types::PORT]))?)));
        }
        Some(self.ports(first, last)?.map(Port::Given))
    }

    #[expect(clippy::option_option, reason = "there may be none, or one that has no name here")]
    pub(super) fn addresses(&self, first: Option<u32>, last: Option<u32>) -> Option<Option<String>> {
        let text = |register| {
            let value = self.constant(register)?;
            match Operand::of(value, if value.len() == 4 { &types::IPV4 } else { &types::IPV6 })? {
                Operand::Text(text) => Some(text),
                _ => None,
            }
        };
        let Some(first) = first else { return Some(None) };
        let first_text = text(first)?;
        // The kernel lists the first register twice if there is one address.
        Some(Some(match last.filter(|last| *last != first).map(text) {
            Some(last) => format!("{first_text}-{}", last?),
            None => first_text,
        }))
    }

    #[expect(clippy::option_option, reason = "as for addresses")]
    pub(super) fn ports(&self, first: Option<u32>, last: Option<u32>) -> Option<Option<Operand>> {
        let Some(first) = first else { return Some(None) };
        let from = self.constant(first)?;
        Some(match last.filter(|last| *last != first) {
            Some(last) => Some(Operand::of_range(from, self.constant(last)?, &types::PORT)?),
            None => Some(Operand::of(from, &types::PORT)?),
        })
    }

    pub(super) fn destination(&self, address: Option<u32>, device: Option<u32>) -> Option<Destination> {
        let (to, _) = self.new_ends([address, None], [None, None])?;
        let device = match device {
            None => None,
            Some(register) => Some(match self.content(register)? {
                Content::Mapped(mapped) => Device::Mapped(mapped.to(&MapData::Values(vec![&types::LINK_INDEX]))?),
                Content::Constant(index) => Device::Index(u32::from_ne_bytes(index.as_slice().try_into().ok()?)),
                Content::Loaded(_) => return None,
            }),
        };
        Some(Destination { to, device })
    }
}
