#!/usr/bin/env bash
# nftables 1.1.7 (Debian sid): `nft -o` merges rules into one that matches fewer packets or does something else. It prints what it
# merges, and nft(8) says that it optimizes; nothing says that the result differs.
#
# "tcp flags syn" is true when SYN is one of the packet's flags, and "ct status dnat" likewise. Merged, they become an element of a set,
# which has to be equal: SYN with ACK, or a connection that is also confirmed, matches no more. Of two rules that masquerade, the second
# gets the ports of the first. The comments of rules and the values of the second counter are gone. And where a rule for one
# address stands before the rule for its network, the merged file does not load: as two rules, it does.
#
# Output seen, 2026-11-28 (each pair of rules, and what -o makes of it; four TCP packets with the flags S, A, SA, PA; one datagram by DNAT):
#   tcp flags syn, tcp flags ack: 2 and 3 packets; tcp flags { syn, ack }: 2 packets
#   ct status dnat, ct status snat: 1 and 0 packets; ct status { snat, dnat }: 0 packets
#   masquerade to :1000-2000, masquerade: tcp dport { 80, 443 } masquerade to :1000-2000
#   comment "web", comment "tls": tcp dport { 80, 443 } accept
#   counter packets 5, counter packets 6: tcp dport { 80, 443 } counter packets 5 bytes 50
#   10.0.0.1 accept, 10.0.0.0/24 drop: Error: conflicting intervals specified
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
apt-get "${options[@]}" download -qq nftables=1.1.7-3 libnftables1=1.1.7-3 libc6 libjansson4 libgmp10 libnftnl11 libmnl0 \
  libxtables12 libedit2 libtinfo6 libbsd0 libmd0
for deb in *.deb; do dpkg -x "$deb" root; done
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
export NFT="$libraries/ld-linux-x86-64.so.2 --library-path $libraries $work/root/usr/sbin/nft"
$NFT --version
cat >send.py <<'SEND'
import socket
import struct

SYN, ACK, PUSH = 2, 16, 8
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
for flags in SYN, ACK, SYN | ACK, PUSH | ACK:
    raw.sendto(struct.pack('!HHIIBBHHH', 1000, 9, 1, 0, 0x50, flags, 100, 0, 0), ('127.0.0.1', 0))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    server.bind(('127.0.0.1', 91))
    client.sendto(b'x', ('127.0.0.1', 90))
    server.recv(10)
SEND
cat >inside <<'INSIDE'
set -euo pipefail
# rules [-o] CHAIN RULE RULE: the rules of the chain, after the packets, without what is not asked here.
rules() {
  local optimize=()
  if [ "$1" = -o ]; then optimize=(-o) && shift; fi
  printf 'flush ruleset\ntable ip lab {\n  chain asked {\n    %s\n    %s\n    %s\n  }\n' "$@" >rules.nft
  printf '  chain moved {\n    type nat hook output priority dstnat\n    udp dport 90 dnat to 127.0.0.1:91\n  }\n}\n' >>rules.nft
  if ! $NFT "${optimize[@]}" -f rules.nft >said 2>&1; then
    grep -o 'Error: .*' said
    return
  fi
  python3 send.py
  $NFT list chain ip lab asked | grep -vE '^table|chain|^[[:space:]]*(type|}|$)' | sed 's|^[[:space:]]*||' || true
}
packets() { grep -o 'packets [0-9]*' | cut -d ' ' -f 2 | paste -s -d ' ' | sed 's| | and |'; }
ip link set lo up
filter='type filter hook postrouting priority 0'
nat='type nat hook postrouting priority 100'
flags=("$filter" 'tcp flags syn counter' 'tcp flags ack counter')
echo "tcp flags syn, tcp flags ack: $(rules "${flags[@]}" | packets) packets; $(rules -o "${flags[@]}" | sed 's|counter.*||' | tr -d '\n' | sed 's| $||'): $(rules -o "${flags[@]}" | packets) packets"
status=("$filter" 'ct status dnat counter' 'ct status snat counter')
echo "ct status dnat, ct status snat: $(rules "${status[@]}" | packets) packets; $(rules -o "${status[@]}" | sed 's| counter.*||'): $(rules -o "${status[@]}" | packets) packets"
echo "masquerade to :1000-2000, masquerade: $(rules -o "$nat" 'tcp dport 80 masquerade to :1000-2000' 'tcp dport 443 masquerade')"
echo "comment \"web\", comment \"tls\": $(rules -o "$filter" 'tcp dport 80 accept comment "web"' 'tcp dport 443 accept comment "tls"')"
echo "counter packets 5, counter packets 6: $(rules -o "$filter" 'tcp dport 80 counter packets 5 bytes 50' 'tcp dport 443 counter packets 6 bytes 60')"
clash=("$filter" 'ip saddr 10.0.0.1 accept' 'ip saddr 10.0.0.0/24 drop')
[ "$(rules "${clash[@]}" | wc -l)" = 2 ] && echo "10.0.0.1 accept, 10.0.0.0/24 drop: $(rules -o "${clash[@]}")"
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = 'tcp flags syn, tcp flags ack: 2 and 3 packets; tcp flags { syn, ack }: 2 packets
ct status dnat, ct status snat: 1 and 0 packets; ct status { snat, dnat }: 0 packets
masquerade to :1000-2000, masquerade: tcp dport { 80, 443 } masquerade to :1000-2000
comment "web", comment "tls": tcp dport { 80, 443 } accept
counter packets 5, counter packets 6: tcp dport { 80, 443 } counter packets 5 bytes 50
10.0.0.1 accept, 10.0.0.0/24 drop: Error: conflicting intervals specified' ] || { echo "CHANGED"; exit 1; }
echo "as described"
