#!/usr/bin/env bash
# nftables 1.1.7 (Debian sid): a ruleset that is listed as JSON and loaded again loses the comments of its sets.
#
# The JSON has the comment of a set, as it has those of chains, counters and rules, and `nft -j -f` takes them all back but
# those of sets. It does so without an error.
#
# Output seen, 2026-11-27 (a diff of `nft list ruleset` before and after):
#   < 		comment "addresses of the lab"
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
  comment "a table"
  counter seen { comment "a counter" }
  set hosts { type ipv4_addr; comment "addresses of the lab"; }
  chain checked { comment "a chain"
    ip saddr @hosts accept comment "a rule"
  }
}
RULES
unshare --user --map-root-user --net bash -euo pipefail -c '
  $NFT -f rules.nft
  $NFT list ruleset >before
  $NFT -j list ruleset >json
  grep -q "addresses of the lab" json || { echo "CHANGED: the JSON has no comment of the set"; exit 1; }
  $NFT flush ruleset
  $NFT -j -f json
  $NFT list ruleset >after
  diff before after | tee difference || true
  [ "$(grep -c "^[<>]" difference)" = 1 ] && grep -q "addresses of the lab" difference || { echo "CHANGED"; exit 1; }'
echo "as described"
