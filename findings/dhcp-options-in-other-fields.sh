#!/usr/bin/env bash
# An offer of dnsmasq 2.90 (Debian 12) that has an option in the field of the boot file (RFC 2132, option 52) loses it in
# insomniacslk/dhcp of 2026-09-01, on which the CNI plugin dhcp is built, in scapy 2.8.0 and in npm's dhcp 0.2.20.
#
# dnsmasq puts it there when the options do not fit into the size that the client takes, 576 bytes for udhcpc. Here it is the one of the
# routes (121), so that the machine gets an address and does not reach its networks. No library reports an error: the bytes are in what
# they return as the name of the boot file. pydhcp 0.9.1 reads the field. The halves of an option that is too long for one (RFC 3396)
# are joined by pydhcp and insomniacslk/dhcp; for scapy and npm's dhcp they are two options, of which the latter keeps one.
#
# Output seen, 2026-11-28 (routes of the offer, whose 14 are in the other field; routes where 40 are in two halves):
#   insomniacslk/dhcp: 0 routes; 40 routes
#   npm's dhcp: 0 addresses; 17 addresses
#   pydhcp: 14 routes; 40 routes
#   scapy: 0 bytes; 252 and 68 bytes
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pydhcp==0.9.1 scapy==2.8.0
npm install --silent --no-audit --no-fund --prefix . dhcp@0.2.20
apt-get download -qq dnsmasq-base=2.90-4~deb12u2 libnftables1 libdbus-1-3 libidn2-0 libnetfilter-conntrack3 libnfnetlink0
for deb in *.deb; do dpkg -x "$deb" root; done
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

func main() {
	var routes []string
	for _, file := range []string{"offer", "halves"} {
		data, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		message, err := dhcpv4.FromBytes(data)
		if err != nil {
			panic(err)
		}
		routes = append(routes, fmt.Sprint(len(message.ClasslessStaticRoute()), " routes"))
	}
	fmt.Printf("insomniacslk/dhcp: %s; %s\n", routes[0], routes[1])
}
GO
go mod init lab 2>/dev/null
go get github.com/insomniacslk/dhcp/dhcpv4@v0.0.0-20260901064844-234b97448fae 2>/dev/null
go build -o routes .
cat >read.py <<'PYTHON'
import pydhcp
from scapy.layers.dhcp import BOOTP, DHCP

ROUTES = 121


def options(data):
    while data and data[0] != 255:
        yield data[0], data[2:2 + data[1]]
        data = data[2 + data[1]:]


messages = [open(file, 'rb').read() for file in ('offer', 'halves')]
sizes = []
for data in messages:
    # scapy keeps options that it does not know, or cannot split, as bytes.
    known = [option for option in BOOTP(data)[DHCP].options if isinstance(option, tuple) and option[0] == ROUTES]
    rest = [option for option in BOOTP(data)[DHCP].options if isinstance(option, bytes)]
    found = [len(option[1]) for option in known] + [len(value) for raw in rest for code, value in options(raw) if code == ROUTES]
    sizes.append(' and '.join(map(str, found)) or '0')
print(f"scapy: {' bytes; '.join(sizes)} bytes")
decoded = [pydhcp.DHCPMessage.decode(data).options.get(ROUTES) for data in messages]
print(f"pydhcp: {' routes; '.join(str(len(routes)) for routes in decoded)} routes")
PYTHON
cat >discover.py <<'PYTHON'
import socket
import struct
import subprocess
import time

while subprocess.run(['ip', 'link', 'set', 'lab1', 'up'], capture_output=True).returncode:
    time.sleep(0.1)
DISCOVER, LARGEST, WANTED = bytes([53, 1, 1]), bytes([57, 2, 2, 64]), bytes([55, 6, 1, 3, 6, 15, 119, 121])
head = struct.pack('!4BIHH16x6s202x4s', 1, 1, 6, 0, 7, 0, 0x8000, b'\2\0\0\0\0\1', b'\x63\x82\x53\x63')
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'lab1')
client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
client.bind(('', 68))
client.settimeout(1)
for _ in range(20):
    try:
        client.sendto(head + DISCOVER + LARGEST + WANTED + b'\xff', ('255.255.255.255', 67))
        offer = client.recv(2000)
        break
    except OSError:
        time.sleep(0.1)
routes = b''.join(bytes([24, 172, 16, number, 10, 0, 0, 9]) for number in range(40))
halves = offer[:240] + bytes([53, 1, 2, 121, 252]) + routes[:252] + bytes([121, 68]) + routes[252:] + b'\xff'
with open('offer', 'wb') as file, open('halves', 'wb') as other:
    file.write(offer)
    other.write(halves)
PYTHON
cat >inside <<'INSIDE'
set -euo pipefail
ip link add lab0 type veth peer name lab1
ip link set lab0 up
ip address add 10.0.0.1/24 dev lab0
routes=$(printf ',172.16.%d.0/24,10.0.0.9' {1..14})
search=$(printf ',%s.name-of-a-department.example.net' a b c d e f)
search+=,department.example.net,example.net,research.example.org,laboratory.example.com,corp.example,a.b.c.d.e.f.g.test
LD_LIBRARY_PATH=root/usr/lib/$(uname -m)-linux-gnu root/usr/sbin/dnsmasq --no-daemon --port=0 --interface=lab0 --bind-interfaces --conf-file=/dev/null \
  --no-resolv --user=root --group=root --dhcp-leasefile=leases --pid-file= --no-ping --dhcp-authoritative --domain=lab.test \
  --dhcp-range=10.0.0.50,10.0.0.90 --dhcp-option="121$routes" --dhcp-option=option:router,10.0.0.9 \
  --dhcp-option=option:dns-server,10.0.0.53 --dhcp-option="option:domain-search$search" 2>log &
unshare --net python3 discover.py &
client=$!
until [ "$(readlink "/proc/$client/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
ip link set lab1 netns "$client"
wait "$client"
INSIDE
timeout 60 unshare --user --map-root-user --net --pid --fork --kill-child --mount-proc bash inside
answer=$(./routes; venv/bin/python read.py; node -e '
const { parse } = require("dhcp/lib/protocol.js");
const counts = ["offer", "halves"].map((file) => (parse(fs.readFileSync(file)).options[121] ?? []).length);
console.log(`npm'"'"'s dhcp: ${counts.join(" addresses; ")} addresses`);')
answer=$(sort <<<"$answer")
echo "$answer"
[ "$answer" = "insomniacslk/dhcp: 0 routes; 40 routes
npm's dhcp: 0 addresses; 17 addresses
pydhcp: 14 routes; 40 routes
scapy: 0 bytes; 252 and 68 bytes" ] || { echo "CHANGED"; exit 1; }
echo "as described"
