#!/usr/bin/env bash
# iproute2 6.1.0 (Debian 12): `ip -json route` leaves out that a metric of a route is locked.
#
# `mtu lock 1400` tells the kernel not to follow path MTU discovery. The text output says `mtu lock 1400`; the JSON output
# says {"mtu":1400}, as for a route without the lock. A tool that saves routes as JSON and adds them again loses every lock.
#
# Output seen, 2026-11-27:
#   text: 10.8.0.0/16 via 10.0.0.2 dev lab0 mtu lock 1400
#   json: [{"dst":"10.8.0.0/16","gateway":"10.0.0.2","dev":"lab0","flags":[],"metrics":[{"mtu":1400}]}]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq iproute2=6.1.0-3
dpkg -x iproute2_*.deb root
export PATH="$work/root/sbin:$work/root/bin:$work/root/usr/sbin:$PATH"
ip -V
unshare --user --map-root-user --net bash -euo pipefail -c '
  ip link add lab0 type veth peer name lab1
  ip link set lab0 up
  ip addr add 10.0.0.1/24 dev lab0
  ip route add 10.8.0.0/16 via 10.0.0.2 mtu lock 1400
  text=$(ip route show 10.8.0.0/16) json=$(ip -json route show 10.8.0.0/16)
  printf "text: %s\njson: %s\n" "$text" "$json"
  [[ $text == *"mtu lock 1400"* ]] || { echo "CHANGED: the text has no lock"; exit 1; }
  [[ $json == *"\"metrics\":[{\"mtu\":1400}]"* && $json != *lock* ]] || { echo "CHANGED: the JSON has the lock"; exit 1; }'
echo "as described"
