#!/usr/bin/env bash
# nftables 1.0.6 (Debian 12): a rule `synproxy mss 1400` is listed as `synproxy mss 1400 wscale 0`. Loaded again, the listing is
# another rule: it has the option for window scaling now, which the first left out, as the JSON shows.
#
# Output seen, 2026-11-28:
#   {"synproxy": {"mss": 1400}}
#   {"synproxy": {"mss": 1400, "wscale": 0}}
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2
for deb in *.deb; do dpkg -x "$deb" root; done
export PATH="$work/root/usr/sbin:$PATH" LD_LIBRARY_PATH="$work/root/usr/lib/$(uname -m)-linux-gnu"
nft --version
answer=$(unshare --user --map-root-user --net bash -euo pipefail -c '
  statement() { nft -j list ruleset | grep -o "{\"synproxy\": {[^}]*}}"; }
  printf "table inet lab {\n chain rules {\n tcp dport 80 synproxy mss 1400\n }\n}\n" | nft -f -
  statement
  nft list ruleset >listed
  nft flush ruleset
  nft -f listed
  statement')
echo "$answer"
[ "$answer" = $'{"synproxy": {"mss": 1400}}\n{"synproxy": {"mss": 1400, "wscale": 0}}' ] || { echo "CHANGED"; exit 1; }
echo "as described"
