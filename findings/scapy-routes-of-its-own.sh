#!/usr/bin/env bash
# scapy 2.8.0 reads the kernel's routes and picks another one than the kernel, or another source.
#
# It leaves out routes with several next hops and, for IPv6, those that refuse (`unreachable`): what is left is often the default
# route, and packets go where the kernel would never send them. For IPv4, a route with several next hops has no link in scapy. A
# route without a gateway (`dev lab0`, as tunnels have) gives packets the source 0.0.0.0. It warns where it has no link, and there alone.
#
# Output seen, 2026-11-28 (link, source, gateway; "-" where there is none; either next hop is shown as the first):
#   10.1.0.1, via 10.0.0.9: kernel lab0 10.0.0.1 10.0.0.9, scapy lab0 10.0.0.1 10.0.0.9
#   10.2.0.1, two next hops: kernel lab0 10.0.0.1 10.0.0.9, scapy - 0.0.0.0 -
#   10.3.0.1, dev lab0: kernel lab0 10.0.0.1 -, scapy lab0 0.0.0.0 -
#   fd01::1, via fd00::9: kernel lab0 fd00::1 fd00::9, scapy lab0 fd00::1 fd00::9
#   fd02::1, two next hops: kernel lab0 fd00::1 fd00::9, scapy lab1 fd00:1::1 fd00:1::fe
#   fd03::1, unreachable: kernel no route to host, scapy lab1 fd00:1::1 fd00:1::fe
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check scapy==2.8.0
cat >inside.py <<'INSIDE'
import re
import subprocess

from scapy.config import conf
from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6

for address, name in [
    ('10.1.0.1', 'via 10.0.0.9'),
    ('10.2.0.1', 'two next hops'),
    ('10.3.0.1', 'dev lab0'),
    ('fd01::1', 'via fd00::9'),
    ('fd02::1', 'two next hops'),
    ('fd03::1', 'unreachable'),
]:
    answer = subprocess.run(['ip', 'route', 'get', address], capture_output=True, text=True)
    found = [re.search(rf'\b{word} (\S+)', answer.stdout) for word in ('dev', 'src', 'via')]
    kernel = 'no route to host' if answer.returncode else ' '.join(match[1] if match else '-' for match in found)
    kernel = re.sub(r'[.:]8$', lambda end: end[0][0] + '9', kernel)  # of two next hops, the kernel takes either
    link, _, gateway = (conf.route6 if ':' in address else conf.route).route(address)
    source = (IPv6 if ':' in address else IP)(dst=address).src
    print(f"{address}, {name}: kernel {kernel}, scapy {link or '-'} {source} {'-' if gateway == '0.0.0.0' else gateway}")
INSIDE
cat >inside <<'INSIDE'
set -euo pipefail
for number in 0 1; do
  ip link add lab$number type veth peer name other$number
  ip link set other$number up
  ip link set lab$number up
done
ip address add 10.0.0.1/24 dev lab0
ip address add fd00::1/64 dev lab0 nodad
ip address add fd00:1::1/64 dev lab1 nodad
ip route add 10.1.0.0/16 via 10.0.0.9
ip route add 10.2.0.0/16 nexthop via 10.0.0.9 nexthop via 10.0.0.8
ip route add 10.3.0.0/16 dev lab0
ip route add default via fd00:1::fe
ip route add fd01::/64 via fd00::9
ip route add fd02::/64 nexthop via fd00::9 nexthop via fd00::8
ip route add unreachable fd03::/64
venv/bin/python inside.py
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "10.1.0.1, via 10.0.0.9: kernel lab0 10.0.0.1 10.0.0.9, scapy lab0 10.0.0.1 10.0.0.9
10.2.0.1, two next hops: kernel lab0 10.0.0.1 10.0.0.9, scapy - 0.0.0.0 -
10.3.0.1, dev lab0: kernel lab0 10.0.0.1 -, scapy lab0 0.0.0.0 -
fd01::1, via fd00::9: kernel lab0 fd00::1 fd00::9, scapy lab0 fd00::1 fd00::9
fd02::1, two next hops: kernel lab0 fd00::1 fd00::9, scapy lab1 fd00:1::1 fd00:1::fe
fd03::1, unreachable: kernel no route to host, scapy lab1 fd00:1::1 fd00:1::fe" ] || { echo "CHANGED"; exit 1; }
echo "as described"
