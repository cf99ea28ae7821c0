#!/usr/bin/env bash
# nftables 1.1.7 (Debian sid): a ruleset that is listed as JSON and loaded again has shorter timeouts, and none where they were
# below a second.
#
# The JSON has whole seconds, cut off. `timeout 500ms` of a set is 0 in it, and is loaded as no timeout: the addresses that a rule
# adds stay for ever, and fill the set. The same happens to the timeout of a rule that adds them, to those of elements, and to the
# gc-interval. The text has milliseconds, and the command reports nothing in either direction.
#
# Output seen, 2026-11-28 (before, after, and a second after an address was added):
#   timeout 500ms -> flags timeout
#   update @senders { ip saddr timeout 2s500ms } -> update @senders { ip saddr timeout 2s }
#   text, a second later: no element
#   JSON, a second later: elements = { 10.0.0.1 }
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
answer=$(timeout 30 unshare --user --map-root-user --net bash -euo pipefail -c '
  $NFT -f - <<NFT
table ip lab {
  set addresses {
    type ipv4_addr
    timeout 500ms
  }
  set senders {
    type ipv4_addr
    size 100
    flags dynamic,timeout
  }
  chain in {
    update @senders { ip saddr timeout 2500ms }
  }
}
NFT
  later() {
    $NFT add element ip lab addresses { 10.0.0.1 }
    sleep 1
    $NFT list ruleset | grep -o "elements = .*" || echo "no element"
  }
  $NFT list ruleset | sed "s/^[[:space:]]*//" >before
  $NFT -j list ruleset >json
  text=$(later)
  $NFT flush ruleset
  $NFT -j -f json
  $NFT list ruleset | sed "s/^[[:space:]]*//" >after
  paste -d ">" <(grep -v dynamic before | grep timeout) <(grep -v dynamic after | grep timeout) | sed "s/>/ -> /"
  echo "text, a second later: $text"
  echo "JSON, a second later: $(later)"')
echo "$answer"
[ "$answer" = "timeout 500ms -> flags timeout
update @senders { ip saddr timeout 2s500ms } -> update @senders { ip saddr timeout 2s }
text, a second later: no element
JSON, a second later: elements = { 10.0.0.1 }" ] || { echo "CHANGED"; exit 1; }
echo "as described"
