#!/usr/bin/env bash
# The CNI plugin tuning 1.10.0 (containernetworking/plugins): CHECK fails right after ADD with the same configuration.
#
# ADD writes the value of a sysctl, or the address of the link, and succeeds. CHECK compares it as text with what the kernel
# prints: tabs between numbers, ports joined into ranges, lower-case addresses. A runtime that follows the specification then
# takes the network for broken. And promiscuous mode is compared even when the configuration does not name it, with the kernel's
# count of those who asked for it: CHECK fails as long as a program captures packets on the link.
#
# Output seen, 2026-11-28 (the end of each line is the message of CHECK):
#   "sysctl":{"net.ipv4.ip_forward":"1"}: ok
#   "sysctl":{"net.ipv4.tcp_rmem":"4096 65536 999999"}: current value is 4096\t65536\t999999
#   "sysctl":{"net.ipv4.ip_local_reserved_ports":"80,81,82"}: current value is 80-82
#   "mac":"C2:B0:57:49:47:F1": current value is c2:b0:57:49:47:f1
#   "mtu":1400: ok
#   "mtu":1400, during a capture: current value is 1
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
go install github.com/containernetworking/plugins/plugins/meta/tuning@v1.10.0 2>/dev/null
cat >inside <<'INSIDE'
set -euo pipefail
unshare --net sleep 60 &
sleeper=$!
trap 'kill $sleeper' EXIT
space=/proc/$sleeper/ns/net
until [ "$(readlink "$space")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
nsenter --net="$space" ip link add eth0 type veth peer name eth1
nsenter --net="$space" ip link set eth0 up
export CNI_CONTAINERID=lab CNI_NETNS=$space CNI_IFNAME=eth0 CNI_PATH=$PWD/go/bin
tuning() {
  local result='{"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "sandbox": "'$space'"}], "ips": []}'
  CNI_COMMAND=$1 go/bin/tuning <<<'{"cniVersion": "1.0.0", "name": "lab", "type": "tuning", "dataDir": "'"$PWD/data"'", '"$2"', "prevResult": '"$result"'}'
}
added_and_checked() {
  tuning ADD "$1" >/dev/null
  if tuning CHECK "$1" >answer; then echo "$1: ok"; else echo "$1${2-}: $(grep -o 'current value is [^"]*' answer)"; fi
}
added_and_checked '"sysctl":{"net.ipv4.ip_forward":"1"}'
added_and_checked '"sysctl":{"net.ipv4.tcp_rmem":"4096 65536 999999"}'
added_and_checked '"sysctl":{"net.ipv4.ip_local_reserved_ports":"80,81,82"}'
added_and_checked '"mac":"C2:B0:57:49:47:F1"'
added_and_checked '"mtu":1400'
# What tcpdump does: PACKET_ADD_MEMBERSHIP with PACKET_MR_PROMISC.
coproc nsenter --net="$space" python3 -c '
import socket, struct, sys
capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
capture.setsockopt(263, 1, struct.pack("iHH8x", socket.if_nametoindex("eth0"), 1, 0))
print("ready", flush=True)
sys.stdin.read()'
read -r _ <&"${COPROC[0]}"
added_and_checked '"mtu":1400' ', during a capture'
INSIDE
answer=$(timeout 40 unshare --user --map-root-user --net --mount bash inside)
echo "$answer"
[ "$answer" = '"sysctl":{"net.ipv4.ip_forward":"1"}: ok
"sysctl":{"net.ipv4.tcp_rmem":"4096 65536 999999"}: current value is 4096\t65536\t999999
"sysctl":{"net.ipv4.ip_local_reserved_ports":"80,81,82"}: current value is 80-82
"mac":"C2:B0:57:49:47:F1": current value is c2:b0:57:49:47:f1
"mtu":1400: ok
"mtu":1400, during a capture: current value is 1' ] || { echo "CHANGED"; exit 1; }
echo "as described"
