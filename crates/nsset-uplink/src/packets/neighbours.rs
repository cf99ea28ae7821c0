//! Answers to those inside who ask for the hardware address of the gateway: ARP (RFC 826) and neighbour discovery (RFC 4861).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use smoltcp::wire::IpProtocol;

use crate::packets::internet::{checksum, pseudo_header};

/// The hardware address of the gateway. It is not that of the link, so the kernel ignores the frames: only the packet socket has them.
pub const OWN_MAC: [u8; 6] = [0x52, 0x55, 0x0a, 0x00, 0x02, 0x02];

const ARP_HEADER: [u8; 6] = [0, 1, 8, 0, 6, 4];
const ARP_REQUEST: [u8; 2] = [0, 1];
const ARP_ANSWER: [u8; 2] = [0, 2];

/// Returns the answer to an ARP request for the gateway.
pub fn arp_answer(request: &[u8], gateway: Ipv4Addr) -> Option<Vec<u8>> {
    let rest = request.strip_prefix(&ARP_HEADER)?.strip_prefix(&ARP_REQUEST)?;
    let (asker, rest) = rest.split_first_chunk::<10>()?;
    let wanted: [u8; 4] = rest.get(6..10)?.try_into().ok()?;
    if Ipv4Addr::from(wanted) != gateway {
        return None;
    }
    let mut answer = Vec::with_capacity(28);
    answer.extend_from_slice(&ARP_HEADER);
    answer.extend_from_slice(&ARP_ANSWER);
    answer.extend_from_slice(&OWN_MAC);
    answer.extend_from_slice(&gateway.octets());
    answer.extend_from_slice(asker);
    Some(answer)
}

const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const SOLICITED_AND_OVERRIDES: u8 = 0x60;
/// The option with the hardware address of the target: its length is in units of 8 bytes.
const TARGET_ADDRESS: [u8; 2] = [2, 1];

/// Returns the answer to a neighbour solicitation for the gateway.
pub fn advertisement(message: &[u8], asker: IpAddr, gateway: Ipv6Addr) -> Option<Vec<u8>> {
    let IpAddr::V6(asker) = asker else { return None };
    let (header, rest) = message.split_first_chunk::<8>()?;
    let (wanted, _) = rest.split_first_chunk::<16>()?;
    let [kind, ..] = *header;
    if kind != SOLICITATION || Ipv6Addr::from(*wanted) != gateway || asker.is_unspecified() {
        return None;
    }
    let mut answer = vec![ADVERTISEMENT, 0, 0, 0, SOLICITED_AND_OVERRIDES, 0, 0, 0];
    answer.extend_from_slice(wanted);
    answer.extend_from_slice(&TARGET_ADDRESS);
    answer.extend_from_slice(&OWN_MAC);
    let start = pseudo_header(gateway.into(), asker.into(), IpProtocol::Icmpv6, answer.len());
    let sum = checksum(&answer, start).to_be_bytes();
    answer.get_mut(2..4)?.copy_from_slice(&sum);
    Some(with_all_hops(gateway, asker, &answer))
}

/// Neighbour discovery is valid only with a hop limit of 255.
fn with_all_hops(from: Ipv6Addr, to: Ipv6Addr, message: &[u8]) -> Vec<u8> {
    let [a, b] = (message.len() as u16).to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, a, b, IpProtocol::Icmpv6.into(), 255];
    packet.extend_from_slice(&from.octets());
    packet.extend_from_slice(&to.octets());
    packet.extend_from_slice(message);
    packet
}
