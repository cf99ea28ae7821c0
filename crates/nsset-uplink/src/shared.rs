//! What all flows of an uplink share, on its thread.

use std::{
    cell::{Cell, RefCell},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use smoltcp::wire::IpProtocol;
use tokio::sync::Semaphore;

use crate::{
    carrier::{Carrier, ETHERNET, IPV4, IPV6},
    names::Memory,
    own_address::OwnAddresses,
    packets::{
        fragments::cut,
        icmp_error::IcmpError,
        internet::{checksum, destination, packet, pseudo_header},
        traffic_class::TrafficClass,
        virtio::Offload,
    },
    rate::Rate,
    reports::{Counters, Questions, Refusal, Refusals},
    rules::{Destination, RuleSet},
    stack::{Budget, TcpStack},
};

/// How an uplink is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The addresses of the gateway, which also answers questions about names.
    pub gateway_v4: Ipv4Addr,
    pub gateway_v6: Ipv6Addr,
    /// The servers of the host. Questions to the address of one of them are answered as those to the gateway.
    pub servers: Vec<SocketAddr>,
    /// How long the owner has to decide about a flow.
    pub patience: Duration,
    /// The mtu of the link.
    pub mtu: usize,
}

/// The offset of the checksum in UDP's header.
const CHECKSUM: usize = 6;

/// Completes the checksum of a datagram, which contains the sum of the pseudo-header. 0 would mean that there is none (RFC 768).
fn complete(datagram: &mut [u8]) {
    let sum = match checksum(datagram, 0) {
        0 => u16::MAX,
        sum => sum,
    };
    if let Some(place) = datagram.get_mut(CHECKSUM..CHECKSUM + 2) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
}

/// The port of questions about names.
const NAMES: u16 = 53;

impl Settings {
    pub fn is_gateway(&self, address: IpAddr) -> bool {
        address == IpAddr::V4(self.gateway_v4) || address == IpAddr::V6(self.gateway_v6)
    }

    /// Whether the uplink itself answers there.
    pub fn answers(&self, to: SocketAddr) -> bool {
        to.port() == NAMES && (self.is_gateway(to.ip()) || self.servers.contains(&to))
    }

    pub fn answers_flow(&self, to: &Destination) -> bool {
        self.answers(SocketAddr::new(to.address, to.port))
    }

    fn gateway_for(&self, address: IpAddr) -> IpAddr {
        if address.is_ipv4() { self.gateway_v4.into() } else { self.gateway_v6.into() }
    }
}

pub struct Shared {
    pub carrier: Carrier,
    pub stack: TcpStack,
    pub settings: Settings,
    pub rules: RefCell<RuleSet>,
    pub memory: RefCell<Memory>,
    pub budget: Rc<Budget>,
    /// Admits the questions about names that come in streams.
    pub streams: Semaphore,
    /// The buffer for datagrams of the host.
    pub datagram: RefCell<Vec<u8>>,
    pub own: OwnAddresses,
    /// Admits messages that a packet has not arrived, as a router limits them (`icmp_msgs_per_sec` in icmp(7)).
    pub errors: Rate,
    /// The number of the last packet that was cut into fragments.
    pub cut: Cell<u32>,
    pub counters: Arc<Counters>,
    pub refusals: Arc<Refusals>,
    pub questions: Arc<Questions>,
}

impl Shared {
    pub fn refuse(&self, refusal: Refusal) {
        self.counters.refuse();
        self.refusals.add(refusal);
    }

    /// Sends a packet whose checksums are complete, in fragments if the link does not take it whole.
    pub fn send(&self, packet: &[u8]) {
        let kind = if packet.first().is_some_and(|first| first >> 4 == 4) { IPV4 } else { IPV6 };
        if packet.len() <= self.settings.mtu {
            return self.carrier.send(kind, Offload::default(), packet);
        }
        self.cut.set(self.cut.get().wrapping_add(1));
        for fragment in cut(packet, self.settings.mtu, self.cut.get()).unwrap_or_default() {
            self.carrier.send(kind, Offload::default(), &fragment);
        }
    }

    /// Tells `to` inside that its packet has not arrived. What another machine says comes from its address.
    pub fn send_error(&self, message: IcmpError, to: IpAddr, about: &[u8]) {
        if !self.errors.allows() {
            return;
        }
        let gateway = self.settings.gateway_for(to);
        let from = if message == IcmpError::Port { destination(about).unwrap_or(gateway) } else { gateway };
        if let Some(packet) = message.packet(from, to, about) {
            self.send(&packet);
        }
    }

    /// Sends a datagram of a class, in fragments if the link does not take it whole.
    pub fn send_datagram(&self, from: SocketAddr, to: SocketAddr, payload: &[u8], class: TrafficClass) {
        const HEADER: usize = 8;
        let length = HEADER + payload.len();
        let (header, kind) = if to.is_ipv4() { (20, IPV4) } else { (40, IPV6) };
        let Ok(field) = u16::try_from(length) else { return };
        let sum = pseudo_header(from.ip(), to.ip(), IpProtocol::Udp, length);
        let mut datagram = Vec::with_capacity(length);
        for word in [from.port(), to.port(), field, sum] {
            datagram.extend_from_slice(&word.to_be_bytes());
        }
        datagram.extend_from_slice(payload);
        let is_whole = header + length <= self.settings.mtu;
        if !is_whole {
            complete(&mut datagram);
        }
        let Some(mut packet) = packet(from.ip(), to.ip(), IpProtocol::Udp, &datagram) else { return };
        class.write(&mut packet);
        if is_whole {
            self.carrier.send(kind, Offload::checksum(ETHERNET + header, CHECKSUM), &packet);
        } else {
            self.send(&packet);
        }
    }
}
