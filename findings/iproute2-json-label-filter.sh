#!/usr/bin/env bash
# iproute2 6.1.0 (Debian 12): `ip -json address show label LABEL` does not say which link an address is on, and has an
# empty object for every link and address that the filter left out.
#
# Without the filter each element has "ifname". With it, the text output has the address alone and the JSON output has no
# "ifname" at all, so that the addresses of several links cannot be distinguished.
#
# Output seen, 2026-11-27:
#   [{"addr_info":[]},{"addr_info":[]},{"addr_info":[{},{"family":"inet","local":"10.1.0.1","prefixlen":24,"scope":"global","label":"lab0:1",…}]}]
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
  ip addr add 10.0.0.1/24 dev lab0
  ip addr add 10.1.0.1/24 dev lab0 label lab0:1
  json=$(ip -json address show label lab0:1)
  echo "$json"
  [[ $json == *"{\"addr_info\":[]}"*"{\"addr_info\":[{},{"* ]] || { echo "CHANGED: no empty objects for what was left out"; exit 1; }
  [[ $json != *ifname* ]] || { echo "CHANGED: the link is named"; exit 1; }'
echo "as described"
