#!/usr/bin/env bash
# nftables 1.1.7 (Debian sid): a rule that matches a wildcard of interfaces and the name that follows the last one of the wildcard
# is listed without its names.
#
# Names in such a set are ranges. "lan*" ends where "lao" begins, so the kernel's listing has the two as one range. nft prints
# its bounds as two empty strings, as text and as JSON, and a saved ruleset does not load again. In a verdict map, where the
# two stay apart, the wildcard is printed as ""/24. With "lap" in place of "lao" everything is listed as it was written.
#
# Output seen, 2026-11-27:
#   iifname { "lan*", "lap" } -> iifname { "lan*", "lap" }
#   iifname { "lan*", "lao" } -> iifname { ""-"" }
#   iifname vmap { "lan*" : accept, "lao" : drop } -> iifname vmap { ""/24 : accept, "lao" : drop }
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
cat >inside <<'INSIDE'
set -euo pipefail
# listed MATCH: how the match is listed.
listed() {
  $NFT flush ruleset
  printf '%s\n' 'table inet lab {' 'chain input {' 'type filter hook input priority filter' "$1" '}' '}' | $NFT -f -
  $NFT list ruleset | sed -n 's/^\t*\(iifname .*[}]\).*/\1/p'
}
check() {
  local as
  as=$(listed "$1")
  echo "$1 -> $as"
  [ "$as" = "$2" ] || { echo 'CHANGED'; exit 1; }
}
check 'iifname { "lan*", "lap" }' 'iifname { "lan*", "lap" }'
check 'iifname { "lan*", "lao" }' 'iifname { ""-"" }'
$NFT list ruleset >saved
if $NFT -f saved 2>/dev/null; then echo 'CHANGED: the listing loads again'; exit 1; fi
check 'iifname vmap { "lan*" : accept, "lao" : drop }' 'iifname vmap { ""/24 : accept, "lao" : drop }'
INSIDE
unshare --user --map-root-user --net bash inside
echo "as described"
