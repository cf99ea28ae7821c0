//! The byte of a packet by which routers give it priority and mark congestion: DSCP and ECN.

use smoltcp::wire::{Ipv4Packet, Ipv6Packet};

const CONGESTION: u8 = 0b11;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficClass(pub u8);

impl TrafficClass {
    /// Reads that of a packet.
    pub fn of(packet: &[u8]) -> Self {
        Self(match *packet {
            [first, second, ..] if first >> 4 == 4 => second,
            [first, second, ..] => first << 4 | second >> 4,
            _ => 0,
        })
    }

    /// The priority alone. The congestion of a connection belongs to the stack at each end.
    pub fn priority(self) -> Self {
        Self(self.0 & !CONGESTION)
    }

    /// Writes it to a packet whose header is complete.
    pub fn write(self, packet: &mut [u8]) {
        if self == Self::default() {
            return;
        }
        if let Ok(mut packet) = Ipv4Packet::new_checked(&mut *packet)
            && packet.version() == 4
        {
            packet.set_dscp(self.0 >> 2);
            packet.set_ecn(self.0 & CONGESTION);
            return packet.fill_checksum();
        }
        if let Ok(mut packet) = Ipv6Packet::new_checked(packet) {
            packet.set_traffic_class(self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packets::internet::packet;

    #[test]
    fn what_is_written_is_read() {
        for (from, to) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
            let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
            let mut packet = packet(from, to, smoltcp::wire::IpProtocol::Udp, &[0; 8]).unwrap();
            assert_eq!(TrafficClass::of(&packet), TrafficClass(0));
            TrafficClass(46 << 2 | 3).write(&mut packet);
            assert_eq!(TrafficClass::of(&packet), TrafficClass(187));
            assert_eq!(TrafficClass(187).priority(), TrafficClass(184));
            assert!(from.is_ipv6() || Ipv4Packet::new_checked(&packet).unwrap().verify_checksum());
        }
    }
}
