#!/usr/bin/env bash
# A link with a raised gso_ipv4_max_size ("BIG TCP", Linux 6.3) shows captures IPv4 packets of more than 64 KiB, whose total length is 0.
# tcpdump 4.99.3 (Debian 12) says "bad-len 0" and nothing else of them; the crate etherparse 0.21.0 has an error where it does not read laxly.
#
# With IPv6 such a packet has a jumbo payload (RFC 2675), which both read, and pypacker 5.4 takes for an unknown protocol. dpkt 1.9.8
# reads all. The packets exist between the kernel and the link alone, so that only who captures on the machine itself gets them.
#
# Output seen, 2026-11-28 (bytes of TCP's data; each file has the largest packet of a connection on the loopback):
#   IPv4: more than 64 KiB true, length field 0
#     dpkt true, pypacker true, etherparse lax true, etherparse Not enough data to decode 'IPv4 packet'
#     tcpdump 4.99.3: IP bad-len 0
#   IPv6: more than 64 KiB true, length field 0
#     dpkt true, pypacker no TCP, etherparse lax true, etherparse true
#     tcpdump 4.99.3: IP6 ::1 > ...
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
mkdir -p lists/partial cache/archives/partial src
site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1)
echo "deb $site bookworm main" >sources.list
options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache")
apt-get "${options[@]}" update -qq
: >status
apt-get "${options[@]}" -o "Dir::State::status=$work/status" download -qq tcpdump=4.99.3-1 libpcap0.8=1.10.3-1 libdbus-1-3 libssl3
for deb in *.deb; do dpkg -x "$deb" root; done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dpkt==1.9.8 pypacker==5.4
cat >Cargo.toml <<'TOML'
[package]
name = "lengths"
version = "0.0.0"
edition = "2021"

[dependencies]
etherparse = "=0.21.0"
TOML
cat >src/main.rs <<'RUST'
use etherparse::{LaxSlicedPacket, SlicedPacket, TransportSlice};

fn bytes(transport: Option<TransportSlice>) -> String {
    match transport {
        Some(TransportSlice::Tcp(tcp)) => tcp.payload().len().to_string(),
        _ => "no TCP".to_string(),
    }
}

fn main() {
    let packet = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    println!("{}", bytes(LaxSlicedPacket::from_ethernet(&packet).unwrap().transport));
    let strict = SlicedPacket::from_ethernet(&packet);
    println!("{}", strict.map_or_else(|error| error.to_string(), |packet| bytes(packet.transport)));
}
RUST
cargo build --quiet
cat >capture.py <<'CAPTURE'
import socket
import struct
import threading

GSO_MAX_SIZE, GSO_IPV4_MAX_SIZE = 41, 63
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as route:
    for kind in GSO_MAX_SIZE, GSO_IPV4_MAX_SIZE:
        link = struct.pack('=BxHiII', 0, 0, socket.if_nametoindex('lo'), 0, 0) + struct.pack('=HHI', 8, kind, 180000)
        route.send(struct.pack('=IHHII', 16 + len(link), 16, 5, 0, 0) + link)
        [error] = struct.unpack('=i', route.recv(4096)[16:20])
        if error:
            raise OSError(-error, 'IFLA_GSO_MAX_SIZE')


def drain(server):
    connection, _ = server.accept()
    while connection.recv(1 << 20):
        pass


def longest(capture, found):
    capture.settimeout(1)
    try:
        while True:
            packet = capture.recv(1 << 20)
            if len(packet) > len(found[0]):
                found[0] = packet
    except TimeoutError:
        pass


for family, address, name in [(socket.AF_INET, '127.0.0.1', 'IPv4'), (socket.AF_INET6, '::1', 'IPv6')]:
    server = socket.create_server((address, 7000), family=family)
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    capture.bind(('lo', 0))
    found = [b'']
    threads = [threading.Thread(target=drain, args=[server]), threading.Thread(target=longest, args=[capture, found])]
    for thread in threads:
        thread.start()
    with socket.create_connection((address, 7000)) as client:
        for _ in range(20):
            client.sendall(bytes(1 << 20))
    for thread in threads:
        thread.join()
    [packet] = found
    with open(name, 'wb') as file:
        file.write(packet)
    with open(f'{name}.pcap', 'wb') as file:
        file.write(struct.pack('<IHHiIIIIIII', 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1, 0, 0, len(packet), len(packet)) + packet)
CAPTURE
cat >read.py <<'READ'
import re
import subprocess
import sys

import dpkt
from pypacker.layer12 import ethernet
from pypacker.layer4 import tcp

for name in 'IPv4', 'IPv6':
    packet = open(name, 'rb').read()
    network = dpkt.ethernet.Ethernet(packet).data
    lengths = {'dpkt': str(len(network.data.data))}
    layer = ethernet.Ethernet(packet)[tcp.TCP]
    lengths['pypacker'] = str(len(layer.body_bytes)) if layer else 'no TCP'
    seen = subprocess.run(['target/debug/lengths', name], capture_output=True, text=True, check=True).stdout.splitlines()
    lengths['etherparse lax'], lengths['etherparse'] = seen[0], seen[1].split('. ')[0].split(': ')[-1]
    length = network.len if name == 'IPv4' else network.plen
    print(f'{name}: more than 64 KiB {len(packet) > 65536}, length field {length}'.replace('True', 'true'))
    true = str(len(packet) - 14 - (20 if name == 'IPv4' else 48) - 32)
    print('  ' + ', '.join(f"{tool} {'true' if value == true else value}" for tool, value in lengths.items()))
    shown = subprocess.run([*sys.argv[1:], '-tnr', f'{name}.pcap'], capture_output=True, text=True, check=True).stdout
    print('  tcpdump 4.99.3:', re.sub(r'(\.\d+)? > .*', ' > ...', shown.strip()))
READ
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
timeout 60 unshare --user --map-root-user --net bash -euc 'ip link set lo up; python3 capture.py'
# As root, tcpdump would change to another user.
answer=$(LD_LIBRARY_PATH=$libraries timeout 60 unshare --user venv/bin/python read.py root/usr/bin/tcpdump)
echo "$answer"
[ "$answer" = "IPv4: more than 64 KiB true, length field 0
  dpkt true, pypacker true, etherparse lax true, etherparse Not enough data to decode 'IPv4 packet'
  tcpdump 4.99.3: IP bad-len 0
IPv6: more than 64 KiB true, length field 0
  dpkt true, pypacker no TCP, etherparse lax true, etherparse true
  tcpdump 4.99.3: IP6 ::1 > ..." ] || { echo "CHANGED"; exit 1; }
echo "as described"
