#!/usr/bin/env bash
# A UDP checksum that comes out as zero has to be sent as ffff, as zero says that there is none (RFC 768); over IPv6 a datagram
# without one is dropped (RFC 8200). pnet_packet 0.35.0 (udp::ipv6_checksum) and github.com/google/gopacket 1.1.19 (ComputeChecksums)
# give 0000. So one datagram in 65536 is lost, always the same ones: a repetition of the same bytes does not help.
#
# The kernel is the other side: it drops what the libraries build, and delivers what it builds of the same bytes (IPV6_CHECKSUM).
#
# Output seen, 2026-11-28 (two bytes, e097, from port 4000 to 4001 of ::1):
#   pnet_packet: checksum 0000, received: none
#   gopacket: checksum 0000, received: none
#   ffff in its place, received: e097
#   by the kernel: checksum ffff, received: e097
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "zero"
version = "0.0.0"
edition = "2021"

[dependencies]
pnet_packet = "=0.35.0"
TOML
cat >src/main.rs <<'RUST'
use pnet_packet::udp::{ipv6_checksum, MutableUdpPacket};
use std::net::Ipv6Addr;

fn main() {
    let mut bytes = [0; 10];
    bytes[8..].copy_from_slice(&[0xe0, 0x97]);
    let mut packet = MutableUdpPacket::new(&mut bytes).unwrap();
    packet.set_source(4000);
    packet.set_destination(4001);
    packet.set_length(10);
    let checksum = ipv6_checksum(&packet.to_immutable(), &Ipv6Addr::LOCALHOST, &Ipv6Addr::LOCALHOST);
    packet.set_checksum(checksum);
    println!("{}", bytes.map(|byte| format!("{byte:02x}")).concat());
}
RUST
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

func main() {
	udp := &layers.UDP{SrcPort: 4000, DstPort: 4001}
	udp.SetNetworkLayerForChecksum(&layers.IPv6{SrcIP: net.IPv6loopback, DstIP: net.IPv6loopback, NextHeader: layers.IPProtocolUDP})
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buffer, options, udp, gopacket.Payload{0xe0, 0x97}); err != nil {
		panic(err)
	}
	fmt.Printf("%x\n", buffer.Bytes())
}
GO
go mod init lab 2>/dev/null
go get github.com/google/gopacket@v1.1.19 2>/dev/null
cargo run --quiet >pnet
go run . >gopacket
cat >inside.py <<'INSIDE'
import socket


def received():
    try:
        return server.recv(100).hex()
    except TimeoutError:
        return 'none'


server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
server.bind(('::1', 4001))
server.settimeout(0.5)
raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_UDP)
for library in ['pnet_packet', 'gopacket']:
    packet = bytes.fromhex(open(library.split('_')[0]).read())
    raw.sendto(packet, ('::1', 0))
    print(f'{library}: checksum {packet[6:8].hex()}, received: {received()}')
raw.sendto(packet[:6] + b'\xff\xff' + packet[8:], ('::1', 0))
print(f'ffff in its place, received: {received()}')
kernel = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_UDP)
kernel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_CHECKSUM, 6)
kernel.sendto(packet, ('::1', 0))
for _ in range(4):
    seen = raw.recv(100)
print(f"by the kernel: checksum {seen[6:8].hex()}, received: {received()}")
INSIDE
answer=$(timeout 30 unshare --user --map-root-user --net bash -euo pipefail -c 'ip link set lo up; python3 inside.py')
echo "$answer"
[ "$answer" = "pnet_packet: checksum 0000, received: none
gopacket: checksum 0000, received: none
ffff in its place, received: e097
by the kernel: checksum ffff, received: e097" ] || { echo "CHANGED"; exit 1; }
echo "as described"
