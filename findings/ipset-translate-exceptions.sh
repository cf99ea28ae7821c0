#!/usr/bin/env bash
# ipset-translate 7.24 (Debian sid): an exception of a set (`nomatch`) becomes an element like the others, without a warning.
#
# In a set of networks and interfaces whose exceptions come first, nft loads the result, and what was excepted matches. In another
# order, and in a set of networks alone, nft refuses it ("File exists", "conflicting intervals"), and does not say that an exception was
# meant. An element of `physdev:eth0`, the port of a bridge, becomes one of the interface eth0.
#
# Output seen, 2026-11-28 (datagrams from 127.0.0.1, 127.1.0.1 and 127.2.0.1, counted by a rule with each set):
#   add b 127.0.0.0/8,lo -> add element inet global b { 127.0.0.0/8 . lo }
#   add b 127.1.0.0/16,lo nomatch -> add element inet global b { 127.1.0.0/16 . lo }
#   add p 10.0.0.0/8,physdev:eth0 -> add element inet global p { 10.0.0.0/8 . eth0 }
#   ipset: 2 of 3, nft: 3 of 3
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
apt-get "${options[@]}" download -qq ipset=7.24-1+b1 libipset13t64 iptables nftables=1.1.7-3 libnftables1=1.1.7-3 libc6 libjansson4 \
  libgmp10 libnftnl11 libmnl0 libxtables12 libip4tc2 libip6tc2 libedit2 libtinfo6 libbsd0 libmd0
for deb in *.deb; do dpkg -x "$deb" root; done
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
export XTABLES_LIBDIR=$libraries/xtables
tool() { echo "$libraries/ld-linux-x86-64.so.2 --argv0 $1 --library-path $libraries $work/root/usr/sbin/$1"; }
NFT=$(tool nft) IPTABLES=$(tool iptables-nft) IPSET=$(tool ipset) TRANSLATE=$(tool ipset-translate)
export NFT IPTABLES IPSET TRANSLATE
$IPSET --version
cat >inside <<'INSIDE'
set -euo pipefail
ip link set lo up
printf '%s\n' 'create b hash:net,iface' 'add b 127.1.0.0/16,lo nomatch' 'add b 127.0.0.0/8,lo' >set
$IPSET restore <set
$TRANSLATE restore <set >copy.nft
$NFT -f copy.nft
$NFT 'add chain inet global input { type filter hook input priority -200; }
add rule inet global input ip protocol udp ip saddr . iifname @b counter'
$IPTABLES -A INPUT -p udp -m set --match-set b src,src
python3 -c '
import socket
for address in "127.0.0.1", "127.1.0.1", "127.2.0.1":
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((address, 0))
        sender.sendto(b"one", ("127.9.0.1", 9))'
packets() { $NFT list chain $1 2>>errors | sed -n "s/.*counter packets \([0-9]*\).*/\1/p"; }
for element in 127.0.0.0 127.1.0.0; do
  echo "$(grep $element set) -> $(grep "element.*$element" copy.nft)"
done
printf '%s\n' 'create p hash:net,iface' 'add p 10.0.0.0/8,physdev:eth0' | $TRANSLATE restore >port.nft
echo "add p 10.0.0.0/8,physdev:eth0 -> $(grep element port.nft)"
echo "ipset: $(packets 'ip filter INPUT') of 3, nft: $(packets 'inet global input') of 3"
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "add b 127.0.0.0/8,lo -> add element inet global b { 127.0.0.0/8 . lo }
add b 127.1.0.0/16,lo nomatch -> add element inet global b { 127.1.0.0/16 . lo }
add p 10.0.0.0/8,physdev:eth0 -> add element inet global p { 10.0.0.0/8 . eth0 }
ipset: 2 of 3, nft: 3 of 3" ] || { echo "CHANGED"; exit 1; }
echo "as described"
