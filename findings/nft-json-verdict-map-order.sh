#!/usr/bin/env bash
# nftables 1.0.6 (Debian 12): the JSON of a ruleset with a verdict map cannot be loaded, although nft wrote it.
#
# `nft -j list ruleset` writes a map with its elements before the chains. Where an element jumps to a chain, loading the same
# text into an empty ruleset fails, since the chain does not exist yet. The text form of the same ruleset loads.
#
# Output seen, 2026-11-27:
#   internal:0:0-0: Error: Could not process rule: No such file or directory
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2
for deb in *.deb; do dpkg -x "$deb" root; done
export PATH="$work/root/usr/sbin:$PATH" LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"
nft --version
cat >rules.nft <<'RULES'
table inet lab {
  map ways { type ipv4_addr : verdict; elements = { 10.0.0.2 : jump checked } }
  chain checked { counter accept; }
  chain arriving { type filter hook input priority filter; ip saddr vmap @ways; }
}
RULES
unshare --user --map-root-user --net bash -uo pipefail -c '
  nft -f rules.nft && nft list ruleset >text && nft -j list ruleset >json || exit 1
  nft flush ruleset && nft -f text || { echo "CHANGED: the text does not load"; exit 1; }
  nft flush ruleset
  if nft -j -f json; then echo "CHANGED: the JSON loads"; exit 1; fi
  [ -z "$(nft list ruleset)" ] || { echo "CHANGED: a part of the JSON was loaded"; exit 1; }'
echo "as described"
