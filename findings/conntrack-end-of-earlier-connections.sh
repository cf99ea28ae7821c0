#!/usr/bin/env bash
# `conntrack -E` does not show the end of connections that were there when it was started: with the default of
# net.netfilter.nf_conntrack_events, which is 2 ("automatic") since Linux 6.0, the kernel prepares events only for connections that
# begin while a program listens. A program that lists the connections and then follows the events never learns that these have
# ended. With the value 1, set before the connections begin, their end is shown.
#
# conntrack 1.4.7 (Debian 12), Linux 6.18. Output seen, 2026-11-28:
#   nf_conntrack_events=2: 0 ends of 1
#   nf_conntrack_events=1: 1 ends of 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq conntrack=1:1.4.7-1+b2 libnetfilter-conntrack3 libnfnetlink0 libmnl0
for deb in *.deb; do dpkg -x "$deb" root; done
export PATH="$work/root/usr/sbin:$PATH" LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"
uname -sr
conntrack --version
answer=$(timeout 60 unshare --user --map-root-user --net bash -euo pipefail -c '
  ip link set lo up
  printf "table ip lab {\n chain in {\n type filter hook input priority 0\n ct state new accept\n }\n}\n" | nft -f -
  for events in 2 1; do
    echo "$events" >/proc/sys/net/netfilter/nf_conntrack_events
    python3 -c "
import socket
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind((\"127.0.0.1\", 4000))
client.sendto(b\"x\", (\"127.0.0.1\", 4001))"
    timeout 3 conntrack -E >"events-$events" 2>/dev/null &
    sleep 1
    conntrack -D -p udp >/dev/null 2>&1
    wait || true
    echo "nf_conntrack_events=$events: $(grep -c DESTROY "events-$events" || true) ends of 1"
  done')
echo "$answer"
[ "$answer" = $'nf_conntrack_events=2: 0 ends of 1\nnf_conntrack_events=1: 1 ends of 1' ] || { echo "CHANGED"; exit 1; }
echo "as described"
