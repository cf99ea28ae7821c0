#!/usr/bin/env bash
# nftables 1.0.6 (Debian 12): the JSON of a dormant table has the name of something else in "flags".
#
# `nft list ruleset` says `flags dormant`. `nft -j list ruleset` writes a string of another object of the ruleset in its place,
# here the name of a counter, so that the table cannot be recognised as dormant, and cannot be loaded again as such.
#
# Output seen, 2026-11-27:
#   {"table": {"family": "inet", "name": "lab", "handle": 1, "flags": "seen"}}
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2
for deb in *.deb; do dpkg -x "$deb" root; done
export PATH="$work/root/usr/sbin:$PATH" LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"
nft --version
unshare --user --map-root-user --net bash -euo pipefail -c '
  printf "table inet lab {\n flags dormant\n counter seen { }\n}\n" | nft -f -
  nft list ruleset | grep -q "flags dormant"
  table=$(nft -j list ruleset | grep -o "{\"table\": {[^}]*}}")
  echo "$table"
  [[ $table == *\"flags\":* && $table != *dormant* ]] || { echo "CHANGED"; exit 1; }'
echo "as described"
