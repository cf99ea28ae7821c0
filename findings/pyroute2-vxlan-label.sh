#!/usr/bin/env bash
# pyroute2 0.9.7: the flow label of a VXLAN over IPv6 (`vxlan_label`) becomes another one, and is read as another one, without an error.
#
# The kernel has it in network byte order, as it has the port, for which pyroute2 does the same. The label goes out in the byte order of the
# machine, and the kernel keeps the 20 bits that belong to a label. Up to 255 nothing is left of it. On a machine with the other
# byte order it would be right.
#
# iproute2 of Debian 12 is the other side. Output seen, 2026-11-28:
#   pyroute2 adds 0x5: ip shows no label
#   pyroute2 adds 0x12345: ip shows 0x30100
#   ip adds 0x12345: pyroute2 has 0x45230100
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyroute2==0.9.7
cat >inside.py <<'INSIDE'
import re
import subprocess

from pyroute2 import IPRoute

ADDRESSES = {'vxlan_local6': 'fd00::1', 'vxlan_group6': 'fd00::2'}
with IPRoute() as route:
    for number, label in enumerate([0x5, 0x12345]):
        name = f'lab{number}'
        route.link('add', ifname=name, kind='vxlan', vxlan_id=number + 1, vxlan_port=4789 + number, vxlan_label=label, **ADDRESSES)
        shown = subprocess.run(['ip', '-details', 'link', 'show', name], capture_output=True, text=True, check=True).stdout
        seen = re.search(r'flowlabel (\S+)', shown)
        print(f'pyroute2 adds {label:#x}: ip shows', seen[1] if seen else 'no label')
    words = 'ip link add lab9 type vxlan id 9 dstport 4799 local fd00::1 remote fd00::2 flowlabel 0x12345'
    subprocess.run(words.split(), check=True)
    [link] = route.get_links(ifname='lab9')
    read = link.get_attr('IFLA_LINKINFO').get_attr('IFLA_INFO_DATA').get_attr('IFLA_VXLAN_LABEL')
    print(f'ip adds 0x12345: pyroute2 has {read:#x}')
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net venv/bin/python inside.py)
echo "$answer"
[ "$answer" = "pyroute2 adds 0x5: ip shows no label
pyroute2 adds 0x12345: ip shows 0x30100
ip adds 0x12345: pyroute2 has 0x45230100" ] || { echo "CHANGED"; exit 1; }
echo "as described"
