#!/usr/bin/env bash
# netavark 1.17.2 (Debian sid), the networks of Podman: what a container sends to 64:ff9b::/96 leaves the host with the container's own
# address. These are the addresses of IPv4 hosts where a network has IPv6 alone (NAT64, RFC 6052), and no answer comes back.
#
# The rule that masquerades leaves out multicast. For IPv4 that is 224.0.0.0/4; for IPv6 the program writes ff::/8 in place of ff00::/8.
# This is 00ff::/8, all addresses whose first byte is zero, and 64:ff9b:: is one of them. Multicast is masqueraded, which it should not
# be. `nft list ruleset` shows it as ::/8, since the rest of the bytes is masked. netavark's sources of August 2026 have ff00::/8.
#
# Output seen, 2026-11-28 (the sources of datagrams that a container fd10:88::2 sent through a host 2001:db8::1, as the other side saw them):
#   ip6 daddr != ::/8 masquerade
#   to 2001:db8:9::1: from 2001:db8::1
#   to 64:ff9b::c000:201: from fd10:88::2
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
mkdir -p lists/partial cache/archives/partial
site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1)
echo "deb $site sid main" >sources.list
options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache")
apt-get "${options[@]}" update -qq
apt-get "${options[@]}" download -qq netavark=1.17.2-3 libc6 libgcc-s1
for deb in *.deb; do dpkg -x "$deb" root; done
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
export NETAVARK="$libraries/ld-linux-x86-64.so.2 --library-path $libraries $work/root/usr/lib/podman/netavark"
$NETAVARK --version
cat >network.json <<'JSON'
{
  "container_id": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "container_name": "lab",
  "networks": { "lab": { "static_ips": ["fd10:88::2"], "interface_name": "eth0" } },
  "network_info": {
    "lab": {
      "name": "lab",
      "id": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
      "driver": "bridge",
      "network_interface": "lab0",
      "subnets": [{ "subnet": "fd10:88::/64", "gateway": "fd10:88::1" }],
      "ipv6_enabled": true,
      "internal": false,
      "dns_enabled": false,
      "ipam_options": { "driver": "host-local" }
    }
  }
}
JSON
cat >outside.py <<'PYTHON'
import socket

with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server, open('seen', 'w', buffering=1) as seen:
    server.bind(('::', 4000))
    open('listening', 'w').close()
    while True:
        data, source = server.recvfrom(100)
        print(f'to {data.decode()}: from {source[0]}', file=seen)
PYTHON
cat >container.py <<'PYTHON'
import socket
import sys
import time

client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
for address in '2001:db8:9::1', '64:ff9b::c000:201':
    for attempt in range(50):
        try:
            client.sendto(address.encode(), (address, 4000))
        except OSError:
            pass
        time.sleep(0.1)
        if f'to {address}:' in open('seen').read():
            break
PYTHON
cat >inside <<'INSIDE'
set -euo pipefail
mount -t tmpfs none /run
unshare --net sleep 50 &
container=$!
unshare --net sleep 50 &
outside=$!
for process in "$container" "$outside"; do
  until [ "$(readlink "/proc/$process/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
done
touch /run/container
mount --bind "/proc/$container/ns/net" /run/container
ip link set lo up
ip link add up0 type veth peer name up1 netns "$outside"
ip address add 2001:db8::1/64 dev up0 nodad
ip link set up0 up
ip -6 route add default via 2001:db8::9
nsenter --net="/proc/$outside/ns/net" bash -euc 'ip link set lo up
  ip link set up1 up
  ip address add 2001:db8::9/64 dev up1 nodad
  ip address add 2001:db8:9::1/128 dev lo nodad
  ip address add 64:ff9b::c000:201/128 dev lo nodad
  exec python3 outside.py' &
until [ -e listening ]; do sleep 0.1; done
$NETAVARK --config /run/netavark --file network.json setup /run/container >answer
nft list ruleset | grep -o 'ip6 daddr != .*'
nsenter --net=/run/container python3 container.py
sort -u seen
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net --mount --pid --fork --kill-child --mount-proc bash inside)
echo "$answer"
[ "$answer" = "ip6 daddr != ::/8 masquerade
to 2001:db8:9::1: from 2001:db8::1
to 64:ff9b::c000:201: from fd10:88::2" ] || { echo "CHANGED"; exit 1; }
echo "as described"
