//! What the tunnels of GRE have over both families: keys, checksums and sequence numbers, each for packets that arrive and that leave.

use netlink_packet_core::DefaultNla;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::netlink::{settings::settings, value::NetworkOrder};

/// A tunnel with keys.
#[skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Keyed<T> {
    #[serde(flatten)]
    pub tunnel: T,
    /// The key in both directions.
    pub key: Option<u32>,
    /// The key of packets that arrive.
    pub input_key: Option<u32>,
    /// The key of packets that leave.
    pub output_key: Option<u32>,
    /// Which packets have a checksum.
    pub checksum: Option<Ways>,
    /// Which packets are numbered: those that arrive late are dropped.
    pub sequence: Option<Ways>,
}

/// In which direction something holds. In plain data: true for both, and false for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ways {
    BothOrNone(bool),
    One(Way),
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Packets that arrive.
    Input,
    /// Packets that leave.
    Output,
}

settings! {
    /// The first of `IFLA_GRE_*` of linux/if_tunnel.h.
    pub struct Keys {
        input_flags: NetworkOrder<u16> = 2,
        output_flags: NetworkOrder<u16> = 3,
        input_key: NetworkOrder<u32> = 4,
        output_key: NetworkOrder<u32> = 5,
    }
}

/// `GRE_*` of linux/if_tunnel.h.
const CHECKSUM: u16 = 0x8000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;

impl Ways {
    const fn is(self, wanted: Way) -> bool {
        match (self, wanted) {
            (Self::BothOrNone(is_both), _) => is_both,
            (Self::One(Way::Input), Way::Input) | (Self::One(Way::Output), Way::Output) => true,
            (Self::One(_), _) => false,
        }
    }

    const fn of(input: bool, output: bool) -> Option<Self> {
        match (input, output) {
            (true, true) => Some(Self::BothOrNone(true)),
            (true, false) => Some(Self::One(Way::Input)),
            (false, true) => Some(Self::One(Way::Output)),
            (false, false) => None,
        }
    }
}

impl<T> Keyed<T> {
    /// Returns the attributes of the keys.
    pub(super) fn keys(&self) -> Vec<DefaultNla> {
        let flags = |way, key: Option<u32>| {
            let is_on = |ways: Option<Ways>| ways.is_some_and(|ways| ways.is(way));
            let given = [(key.is_some(), KEY), (is_on(self.checksum), CHECKSUM), (is_on(self.sequence), SEQUENCE)];
            given.into_iter().filter(|(on, _)| *on).fold(0, |flags, (_, flag)| flags | flag)
        };
        let (input, output) = (self.input_key.or(self.key), self.output_key.or(self.key));
        let flags = (flags(Way::Input, input), flags(Way::Output, output));
        if flags == (0, 0) {
            return Vec::new();
        }
        let keys = Keys {
            input_flags: Some(NetworkOrder(flags.0)),
            output_flags: Some(NetworkOrder(flags.1)),
            input_key: input.map(NetworkOrder),
            output_key: output.map(NetworkOrder),
        };
        keys.attributes()
    }

    /// Reads the keys beside the tunnel. The kernel reports a key of 0 for one without a key.
    pub(super) fn with(tunnel: T, data: &[u8]) -> Self {
        let keys = Keys::read(data);
        let [input, output] = [keys.input_flags, keys.output_flags].map(|flags| flags.map_or(0, |flags| flags.0));
        let key = |flags: u16, key: Option<NetworkOrder<u32>>| key.filter(|_| flags & KEY != 0).map(|key| key.0);
        let ways = |flag| Ways::of(input & flag != 0, output & flag != 0);
        let (input_key, output_key) = (key(input, keys.input_key), key(output, keys.output_key));
        let is_one = input_key == output_key;
        Self {
            tunnel,
            key: input_key.filter(|_| is_one),
            input_key: input_key.filter(|_| !is_one),
            output_key: output_key.filter(|_| !is_one),
            checksum: ways(CHECKSUM),
            sequence: ways(SEQUENCE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{carrier::carried_by, gre::Gre, ip6gre::Ip6Gre},
        *,
    };

    #[test]
    fn keys_and_flags_come_back_for_each_direction() {
        let given = [
            Gre { key: Some(7), sequence: Some(Ways::BothOrNone(true)), ..Gre::default() },
            Gre { input_key: Some(7), output_key: Some(8), checksum: Some(Ways::One(Way::Output)), ..Gre::default() },
            Gre { input_key: Some(0), checksum: Some(Ways::One(Way::Input)), ..Gre::default() },
            Gre::default(),
        ];
        for gre in given {
            assert_eq!(Gre::read(&carried_by(None, gre.attributes())), gre);
        }
    }

    #[test]
    fn a_key_comes_back_only_if_it_is_in_use() {
        let unused = Keys { output_flags: Some(NetworkOrder(0)), output_key: Some(NetworkOrder(7)), ..Keys::default() };
        assert_eq!(Ip6Gre::read(&unused.bytes()), Ip6Gre::default());
    }

    #[test]
    fn ways_are_words_in_plain_data() {
        for (text, ways) in [("true", Ways::BothOrNone(true)), (r#""input""#, Ways::One(Way::Input))] {
            assert_eq!(serde_json::from_str::<Ways>(text).unwrap(), ways);
            assert_eq!(serde_json::to_string(&ways).unwrap(), text);
        }
    }
}
