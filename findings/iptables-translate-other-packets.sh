#!/usr/bin/env bash
# iptables-translate 1.8.13 (Debian sid): nft loads what it prints for these rules, and the rules match other packets or do something
# else. There is no warning. For what it cannot translate, the tool prints a comment; these are not among them.
#
# A range of ports in `--ports` keeps its two ends. Of two types of addresses one is kept, and of a state and DNAT the latter. A limit
# of bytes lets pass more at once. A mark with a mask is set by a rule that changes nothing: in nft "and" binds closer than "xor". And
# `-I INPUT 3` counts from 1, `index 3` from 0: the rule is one place lower.
#
# Both rules see the same packets, iptables-nft's and its translation's. Output seen, 2026-11-28 (packets counted by each):
#   --ports 53,80:90, ports 53 80 85 90: iptables 4, translation 3
#   --src-type LOCAL --dst-type BROADCAST, unicast and broadcast: iptables 1, translation 2
#   --ctstate NEW,DNAT, a new connection: iptables 1, translation 0
#   --hashlimit-upto 100b/s --hashlimit-mode srcip, 10 datagrams of 48 bytes: iptables 1, translation 2
#   -j CONNMARK --set-mark 0x10/0xf0, before 0x25: iptables 0x15, translation 0x25
#   -I INPUT 3 -s 10.0.0.9, before 1 2 3 4: iptables 1 2 9 3 4, translation 1 2 3 9 4
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
apt-get "${options[@]}" download -qq iptables=1.8.13-1 nftables=1.1.7-3 libnftables1=1.1.7-3 conntrack libc6 libjansson4 libgmp10 \
  libnftnl11 libmnl0 libxtables12 libip4tc2 libip6tc2 libedit2 libtinfo6 libbsd0 libmd0 libnetfilter-conntrack3 libnfnetlink0
for deb in *.deb; do dpkg -x "$deb" root; done
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
export XTABLES_LIBDIR=$libraries/xtables
tool() { echo "$libraries/ld-linux-x86-64.so.2 --argv0 $1 --library-path $libraries $work/root/usr/sbin/$1"; }
NFT=$(tool nft) IPTABLES=$(tool iptables-nft) TRANSLATE=$(tool iptables-translate) CONNTRACK=$(tool conntrack)
export NFT IPTABLES TRANSLATE CONNTRACK
$TRANSLATE --version
cat >inside <<'INSIDE'
set -euo pipefail
ip link set lo up
translate() { $TRANSLATE "$@" | sed "s/^nft //" | tr -d "'"; }
packets() { $NFT list table ip "$1" 2>>errors | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'; }
send() {
  python3 -c '
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for place in sys.argv[1:]:
        address, port = place.split(":")
        sender.sendto(bytes(20), (address, int(port)))' "$@"
}
count() { # name, places to send to, rule
  local name=$1 places=$2
  shift 2
  $NFT flush ruleset
  $IPTABLES -A INPUT -p udp "$@"
  $NFT 'add table ip copy; add chain ip copy INPUT { type filter hook input priority -200; }'
  translate -A INPUT -p udp "$@" | sed 's/ip filter/ip copy/' >copy.nft
  $NFT -f copy.nft
  send $places
  echo "$name: iptables $(packets filter), translation $(packets copy)"
}
count '--ports 53,80:90, ports 53 80 85 90' '127.0.0.1:53 127.0.0.1:80 127.0.0.1:85 127.0.0.1:90' -m multiport --ports 53,80:90
count '--src-type LOCAL --dst-type BROADCAST, unicast and broadcast' '127.0.0.1:9 127.255.255.255:9' \
  -m addrtype --src-type LOCAL --dst-type BROADCAST
count '--ctstate NEW,DNAT, a new connection' 127.0.0.1:9 -m conntrack --ctstate NEW,DNAT
ten=$(printf '127.0.0.1:9 %.0s' {1..10})
count '--hashlimit-upto 100b/s --hashlimit-mode srcip, 10 datagrams of 48 bytes' "$ten" \
  -m hashlimit --hashlimit-upto 100b/s --hashlimit-mode srcip --hashlimit-name one

mark() {
  $NFT 'add table ip early; add chain ip early OUTPUT { type filter hook output priority -190; ct mark set 0x25; }'
  send 127.0.0.1:9
  printf '0x%x\n' "$($CONNTRACK -L 2>>errors | sed -n 's/.*mark=\([0-9]*\).*/\1/p')"
  $CONNTRACK -F 2>>errors
  $NFT flush ruleset
}
$NFT flush ruleset
$CONNTRACK -F 2>>errors
rule='-t mangle -A OUTPUT -j CONNMARK --set-mark 0x10/0xf0'
$IPTABLES $rule
of_iptables=$(mark)
$NFT 'add table ip mangle; add chain ip mangle OUTPUT { type filter hook output priority -150; }'
translate $rule >copy.nft
$NFT -f copy.nft
echo "-j CONNMARK --set-mark 0x10/0xf0, before 0x25: iptables $of_iptables, translation $(mark)"

order() { sed -n 's/.*10\.0\.0\.\([0-9]*\).*/\1/p' | paste -sd ' '; }
for host in 1 2 3 4; do $IPTABLES -A INPUT -s 10.0.0.$host; done
$IPTABLES -I INPUT 3 -s 10.0.0.9
of_iptables=$($IPTABLES -S INPUT | order)
$NFT flush ruleset
$NFT 'add table ip filter; add chain ip filter INPUT'
for host in 1 2 3 4; do $NFT add rule ip filter INPUT ip saddr 10.0.0.$host; done
translate -I INPUT 3 -s 10.0.0.9 >copy.nft
$NFT -f copy.nft
echo "-I INPUT 3 -s 10.0.0.9, before 1 2 3 4: iptables $of_iptables, translation $($NFT list chain ip filter INPUT | order)"
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "--ports 53,80:90, ports 53 80 85 90: iptables 4, translation 3
--src-type LOCAL --dst-type BROADCAST, unicast and broadcast: iptables 1, translation 2
--ctstate NEW,DNAT, a new connection: iptables 1, translation 0
--hashlimit-upto 100b/s --hashlimit-mode srcip, 10 datagrams of 48 bytes: iptables 1, translation 2
-j CONNMARK --set-mark 0x10/0xf0, before 0x25: iptables 0x15, translation 0x25
-I INPUT 3 -s 10.0.0.9, before 1 2 3 4: iptables 1 2 9 3 4, translation 1 2 3 9 4" ] || { echo "CHANGED"; exit 1; }
echo "as described"
