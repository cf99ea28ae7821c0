#!/usr/bin/env bash
# nftables 1.1.7 (Debian sid): the JSON of a map says less about the type of its values than the text does.
#
# A map whose values are prefixes (`mark : interval ipv4_addr`) is listed without "interval", so that the JSON does not load
# again: "Value must be a singleton". A map that was declared by `typeof` keeps the typeof of its keys in the JSON, not that of
# its values, and comes back as a map by `type`.
#
# Output seen, 2026-11-27:
#   prefixes: ... "type": "mark", ... "map": "ipv4_addr" ...: Error: Value must be a singleton
#   typeof:   typeof ip saddr : meta mark -> type ipv4_addr : mark
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
unshare --user --map-root-user --net bash -euo pipefail -c '
  printf "%s\n" "table ip lab {" "map prefixes { type mark : interval ipv4_addr; elements = { 1 : 10.0.0.0/24 }; }" "}" | $NFT -f -
  $NFT -j list ruleset >json
  $NFT flush ruleset
  grep -q "\"map\": \"ipv4_addr\"" json && ! grep -q interval json || { echo "CHANGED: the JSON of prefixes"; exit 1; }
  if $NFT -j -f json 2>error; then echo "CHANGED: the JSON of prefixes loads"; exit 1; fi
  echo "prefixes: $(head -n 1 error)"
  grep -q "Value must be a singleton" error || { echo "CHANGED: the error"; exit 1; }

  printf "%s\n" "table ip lab {" "map marks { typeof ip saddr : meta mark; elements = { 10.0.0.1 : 5 }; }" "}" | $NFT -f -
  before=$($NFT list ruleset | grep type)
  $NFT -j list ruleset >json
  $NFT flush ruleset
  $NFT -j -f json
  after=$($NFT list ruleset | grep type)
  echo "typeof:" $before "->" $after
  [[ $before == *"typeof ip saddr : meta mark" && $after == *"type ipv4_addr : mark" ]] || { echo "CHANGED: typeof"; exit 1; }'
echo "as described"
