//! The device through which the TCP stack reads one packet, and writes packets.

use std::{cell::Cell, net::IpAddr};

use smoltcp::{
    phy::{Checksum, ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken},
    time::Instant,
    wire::{IpProtocol, IpVersion, Ipv4Packet, Ipv6Packet, TcpPacket},
};

use crate::{
    carrier::{Carrier, ETHERNET, IPV4, IPV6},
    packets::{internet::pseudo_header, virtio::Offload},
};

/// The largest packet that the stack writes. The kernel cuts it into segments where the link needs that.
const LARGEST: usize = 65_535;

/// The offset of the checksum in TCP's header.
const CHECKSUM_OF_TCP: usize = 16;

/// A device for one flow: it reads at most one packet. The stack fills a buffer of the uplink.
pub struct Port<'a> {
    carrier: &'a Carrier,
    buffer: &'a mut Vec<u8>,
    arriving: Option<&'a [u8]>,
    /// The largest segment that the other end takes.
    segment: u16,
    /// The last acknowledgement that was sent.
    acknowledged: &'a Cell<Option<u32>>,
}

impl<'a> Port<'a> {
    pub fn new(
        carrier: &'a Carrier,
        buffer: &'a mut Vec<u8>,
        arriving: Option<&'a [u8]>,
        segment: u16,
        acknowledged: &'a Cell<Option<u32>>,
    ) -> Self {
        Self { carrier, buffer, arriving, segment, acknowledged }
    }

    fn writer(&mut self) -> Writer<'_> {
        Writer { carrier: self.carrier, buffer: self.buffer, segment: self.segment, acknowledged: self.acknowledged }
    }

    /// What the stack has to know.
    pub fn capabilities_of_all() -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = LARGEST;
        let mut checksum = ChecksumCapabilities::default();
        // Those of arriving packets are incomplete: they have not left the machine. The kernel completes the others.
        checksum.tcp = Checksum::None;
        capabilities.checksum = checksum;
        capabilities
    }
}

impl Device for Port<'_> {
    type RxToken<'b>
        = Packet<'b>
    where
        Self: 'b;
    type TxToken<'b>
        = Writer<'b>
    where
        Self: 'b;

    fn receive(&mut self, _now: Instant) -> Option<(Packet<'_>, Writer<'_>)> {
        let packet = self.arriving.take()?;
        Some((Packet(packet), self.writer()))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Writer<'_>> {
        Some(self.writer())
    }

    fn capabilities(&self) -> DeviceCapabilities {
        Self::capabilities_of_all()
    }
}

pub struct Packet<'a>(&'a [u8]);

impl RxToken for Packet<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(self.0)
    }
}

pub struct Writer<'a> {
    carrier: &'a Carrier,
    buffer: &'a mut Vec<u8>,
    segment: u16,
    acknowledged: &'a Cell<Option<u32>>,
}

impl TxToken for Writer<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        if self.buffer.len() < length {
            self.buffer.resize(length, 0);
        }
        let packet = self.buffer.get_mut(..length).unwrap_or_default();
        let result = write(packet);
        if let Some((kind, offload)) = prepare(packet, self.segment, self.acknowledged) {
            self.carrier.send(kind, offload, packet);
        }
        result
    }
}

/// Writes the sum of the pseudo-header of TCP, and returns what the kernel has to do.
fn prepare(packet: &mut [u8], segment: u16, acknowledged: &Cell<Option<u32>>) -> Option<(u16, Offload)> {
    let (kind, headers, from, to) = match IpVersion::of_packet(packet).ok()? {
        IpVersion::Ipv4 => {
            let ip = Ipv4Packet::new_checked(&*packet).ok()?;
            let (from, to): (IpAddr, IpAddr) = (ip.src_addr().into(), ip.dst_addr().into());
            (IPV4, usize::from(ip.header_len()), from, to)
        }
        IpVersion::Ipv6 => {
            let ip = Ipv6Packet::new_checked(&*packet).ok()?;
            let (from, to): (IpAddr, IpAddr) = (ip.src_addr().into(), ip.dst_addr().into());
            (IPV6, ip.header_len(), from, to)
        }
    };
    let transport = packet.get_mut(headers..)?;
    let sum = pseudo_header(from, to, IpProtocol::Tcp, transport.len());
    let mut tcp = TcpPacket::new_checked(transport).ok()?;
    tcp.set_checksum(sum);
    if tcp.ack() {
        acknowledged.set(Some(tcp.ack_number().0 as u32));
    }
    let own = usize::from(tcp.header_len());
    let payload = tcp.into_inner().len() - own;
    let offload = Offload::checksum(ETHERNET + headers, CHECKSUM_OF_TCP);
    if payload <= usize::from(segment) {
        return Some((kind, offload));
    }
    Some((kind, offload.segments(kind == IPV4, ETHERNET + headers + own, segment)))
}
