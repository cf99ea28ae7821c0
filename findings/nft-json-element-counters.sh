#!/usr/bin/env bash
# nftables 1.1.7 (Debian sid): a ruleset that is listed as JSON and loaded again starts the counters of set elements at zero.
#
# The JSON has the packets and bytes of each element. `nft -j -f` reads named counters and counters of rules with their
# values, and the counters of elements without. The text listing keeps all three. There is no error.
#
# Output seen, 2026-11-27, after loading the text and after loading the JSON:
#   text: elements = { 10.0.0.1 counter packets 3 bytes 252 }
#   JSON: elements = { 10.0.0.1 counter packets 0 bytes 0 }
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
cat >rules.nft <<'RULES'
table inet lab {
  counter named { packets 5 bytes 420; }
  set clients { type ipv4_addr; counter; elements = { 10.0.0.1 counter packets 3 bytes 252 }; }
  chain checked { counter packets 7 bytes 588 accept; }
}
RULES
unshare --user --map-root-user --net bash -euo pipefail -c '
  $NFT -f rules.nft
  $NFT list ruleset >text
  $NFT -j list ruleset >json
  for form in text json; do
    $NFT flush ruleset
    if [ $form = text ]; then $NFT -f text; else $NFT -j -f json; fi
    $NFT list ruleset >after-$form
    echo "$form:$(grep elements after-$form)"
  done
  cmp -s text after-text || { echo "CHANGED: the text"; exit 1; }
  grep -q "packets 5 bytes 420" after-json && grep -q "packets 7 bytes 588" after-json || { echo "CHANGED: the others"; exit 1; }
  grep -q "10.0.0.1 counter packets 0 bytes 0" after-json || { echo "CHANGED: the element"; exit 1; }'
echo "as described"
