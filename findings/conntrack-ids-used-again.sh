#!/usr/bin/env bash
# Linux 6.18 gives a tracked connection the id (CTA_ID, "id=" of conntrack) of an earlier one that had the same addresses and ports
# and has ended. ctnetlink compares the id where an entry is deleted, to protect a connection that has taken the place of the one
# that was listed. It does not: the id is a hash of the addresses, the ports and the place in memory, which is used again.
#
# conntrack 1.4.7 (Debian 12). Output seen, 2026-11-28:
#   an id was used again within 20 connections
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq conntrack=1:1.4.7-1+b2 libnetfilter-conntrack3 libnfnetlink0 libmnl0
for deb in *.deb; do dpkg -x "$deb" root; done
export PATH="$work/root/usr/sbin:$PATH" LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"
uname -sr
conntrack --version
timeout 60 unshare --user --map-root-user --net bash -euo pipefail -c '
  ip link set lo up
  # Connections are tracked where a rule asks for their state.
  printf "table ip lab {\n chain in {\n type filter hook input priority 0\n ct state new accept\n }\n}\n" | nft -f -
  for _ in {1..20}; do
    python3 -c "
import socket
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind((\"127.0.0.1\", 4000))
client.sendto(b\"x\", (\"127.0.0.1\", 4001))"
    conntrack -L -p udp -o id 2>/dev/null | grep -o "id=[0-9]*"
    conntrack -D -p udp >/dev/null 2>&1
  done | sort | uniq -d | grep -q id= || { echo "CHANGED"; exit 1; }'
echo "an id was used again within 20 connections"
echo "as described"
