#!/usr/bin/env bash
# npm's default-gateway 7.2.2 and systeminformation 5.33.26 find no default route, or another link, where `ip route` prints one of another
# shape than `via … dev …`: with a next-hop object, with several next hops, or without a gateway.
#
# Both read words by their place. FRR and systemd-networkd add routes by objects (`nhid 9`), and tunnels have routes without a gateway.
# default-gateway says that there is none, or fails with an error of JavaScript. systeminformation takes the gateway or the word
# "link" for the name of the link; with several next hops it returns the first link that has an address of IPv6, here the other end, which
# has no route. All that it reports of "the default interface" depends on that name.
#
# Output seen, 2026-11-28 (link and gateway; "ip route get" is the kernel's own answer for 8.8.8.8):
#   via 10.0.0.9 dev lab0: ip route get lab0 10.0.0.9, default-gateway lab0 10.0.0.9, systeminformation lab0 10.0.0.9
#   nhid 9: ip route get lab0 10.0.0.9, default-gateway Unable to determine default gateway, systeminformation 10.0.0.9 10.0.0.9
#   nexthop via 10.0.0.9 nexthop via 10.0.0.8: ip route get lab0 of both, default-gateway Unable to determine default gateway, systeminformation lab1 of both
#   dev lab0: ip route get lab0, default-gateway family.substring is not a function, systeminformation link
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
npm install --silent --no-audit --no-fund --prefix . default-gateway@7.2.2 systeminformation@5.33.26
cat >ask.mjs <<'JS'
import { execFileSync } from 'node:child_process';
import { gateway4sync } from 'default-gateway';
import { networkGatewayDefault, networkInterfaceDefault } from 'systeminformation';

const ofBoth = (text) => text.replace(/ 10\.0\.0\.[89]$/, process.argv[2].startsWith('nexthop') ? ' of both' : '$&');
const words = execFileSync('ip', ['route', 'get', '8.8.8.8'], { encoding: 'utf8' }).split(/\s+/);
const after = (word) => (words.includes(word) ? words[words.indexOf(word) + 1] : '');
const kernel = `${after('dev')} ${after('via')}`.trim();
let gateway;
try {
  const found = gateway4sync();
  gateway = `${found.int} ${found.gateway}`;
} catch (error) {
  gateway = error.message;
}
const information = `${await networkInterfaceDefault()} ${await networkGatewayDefault()}`.trim();
console.log(`${process.argv[2]}: ip route get ${ofBoth(kernel)}, default-gateway ${gateway}, systeminformation ${ofBoth(information)}`);
JS
cat >inside <<'INSIDE'
set -euo pipefail
ip link add lab0 type veth peer name lab1
for link in lab0 lab1; do ip link set "$link" up; done
ip address add 10.0.0.1/24 dev lab0
until ! ip -6 address show tentative | grep -q inet6; do sleep 0.1; done
ip nexthop add id 9 via 10.0.0.9 dev lab0
for route in 'via 10.0.0.9 dev lab0' 'nhid 9' 'nexthop via 10.0.0.9 nexthop via 10.0.0.8' 'dev lab0'; do
  ip route add default $route
  node ask.mjs "$route"
  ip route delete default
done
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "via 10.0.0.9 dev lab0: ip route get lab0 10.0.0.9, default-gateway lab0 10.0.0.9, systeminformation lab0 10.0.0.9
nhid 9: ip route get lab0 10.0.0.9, default-gateway Unable to determine default gateway, systeminformation 10.0.0.9 10.0.0.9
nexthop via 10.0.0.9 nexthop via 10.0.0.8: ip route get lab0 of both, default-gateway Unable to determine default gateway, systeminformation lab1 of both
dev lab0: ip route get lab0, default-gateway family.substring is not a function, systeminformation link" ] || { echo "CHANGED"; exit 1; }
echo "as described"
