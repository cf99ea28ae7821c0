#!/usr/bin/env bash
# npm's netparser 1.9.0: every network contains 255.255.255.255 and each network that ends there; the same holds for the end of IPv6.
#
# It compares the networks that follow the two, and takes it for contained where none follows. `summarize` drops networks for the
# same reason, without an error: of the two halves of all multicast and reserved addresses (224.0.0.0/3), it returns the first
# one. net.BlockList of Node.js is the other side.
#
# Output seen, 2026-11-28:
#   10.0.0.0/24 contains 255.255.255.255: true (net.BlockList: false)
#   10.0.0.0/24 contains 255.255.255.254: false (net.BlockList: false)
#   10.0.0.0/24 contains 240.0.0.0/4: true
#   fd00::/64 contains ff00::/8: true
#   10.0.0.0/24 intersects 224.0.0.0/3: true
#   summary of 224.0.0.0/4, 240.0.0.0/4: 224.0.0.0/4
#   summary of 192.0.0.0/4, 208.0.0.0/4: 192.0.0.0/3
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix . netparser@1.9.0
answer=$(node -e '
const net = require("net");
const parser = require("netparser");
const list = new net.BlockList();
list.addSubnet("10.0.0.0", 24);
for (const address of ["255.255.255.255", "255.255.255.254"]) {
  const answer = parser.networkContainsAddress("10.0.0.0/24", address);
  console.log(`10.0.0.0/24 contains ${address}: ${answer} (net.BlockList: ${list.check(address)})`);
}
for (const [outer, inner] of [["10.0.0.0/24", "240.0.0.0/4"], ["fd00::/64", "ff00::/8"]])
  console.log(`${outer} contains ${inner}: ${parser.networkContainsSubnet(outer, inner)}`);
console.log(`10.0.0.0/24 intersects 224.0.0.0/3: ${parser.networksIntersect("10.0.0.0/24", "224.0.0.0/3")}`);
for (const halves of [["224.0.0.0/4", "240.0.0.0/4"], ["192.0.0.0/4", "208.0.0.0/4"]])
  console.log(`summary of ${halves.join(", ")}: ${parser.summarize(halves)}`);')
echo "$answer"
[ "$answer" = "10.0.0.0/24 contains 255.255.255.255: true (net.BlockList: false)
10.0.0.0/24 contains 255.255.255.254: false (net.BlockList: false)
10.0.0.0/24 contains 240.0.0.0/4: true
fd00::/64 contains ff00::/8: true
10.0.0.0/24 intersects 224.0.0.0/3: true
summary of 224.0.0.0/4, 240.0.0.0/4: 224.0.0.0/4
summary of 192.0.0.0/4, 208.0.0.0/4: 192.0.0.0/3" ] || { echo "CHANGED"; exit 1; }
echo "as described"
