#!/usr/bin/env bash
# npm's wireguard-tools.js 1.8.1 (wgQuick) and wireguard-tools 0.1.0: a configuration of WireGuard that is read and written again lacks the
# keepalives of its peers, and lines that each of them overlooks. There is no error.
#
# wireguard-tools.js ends every part one line too early: the last line before each [Peer] is gone, here the address of the machine and the
# endpoint of the first peer. Without a DNS line it writes the servers 1.1.1.1 and 8.8.8.8, which then get the machine's questions.
# wireguard-tools takes the first of several lines of AllowedIPs, where wg(8) joins them, and ends a peer at the bracket of an IPv6
# address. Both forget PersistentKeepalive, so that a machine behind NAT is not reached after some minutes of silence.
#
# wg 1.0.20210914 and wireguard-go 0.0.20220316 (Debian 12) are the other side. Output seen, 2026-11-28 (lines of wg-quick; `wg showconf`):
#   asked: Address=10.9.0.1/24
#   asked: AllowedIPs=10.1.0.0/16,10.2.0.0/16 Endpoint=192.0.2.1:51820 PersistentKeepalive=25; AllowedIPs=10.3.0.0/16 Endpoint=[2001:db8::1]:51820 PersistentKeepalive=25
#   wireguard-tools: Address=10.9.0.1/24
#   wireguard-tools: AllowedIPs=10.1.0.0/16 Endpoint=192.0.2.1:51820; AllowedIPs=10.3.0.0/16
#   wireguard-tools.js: DNS=1.1.1.1,8.8.8.8
#   wireguard-tools.js: AllowedIPs=10.1.0.0/16,10.2.0.0/16; AllowedIPs=10.3.0.0/16 Endpoint=[2001:db8::1]:51820
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix . wireguard-tools@0.1.0 wireguard-tools.js@1.8.1
apt-get download -qq wireguard-tools=1.0.20210914-1+b1 wireguard-go=0.0.20220316-1+b4
for deb in *.deb; do dpkg -x "$deb" root; done
cat >asked.conf <<'CONF'
[Interface]
PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
Address = 10.9.0.1/24

[Peer]
PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
AllowedIPs = 10.1.0.0/16
AllowedIPs = 10.2.0.0/16
PersistentKeepalive = 25
Endpoint = 192.0.2.1:51820

[Peer]
PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=
AllowedIPs = 10.3.0.0/16
Endpoint = [2001:db8::1]:51820
PersistentKeepalive = 25
CONF
cat >again.cjs <<'JS'
const fs = require('node:fs');
const { WgConfig } = require('wireguard-tools');
const { wgQuick } = require('wireguard-tools.js');

const text = fs.readFileSync('asked.conf', 'utf8');
fs.writeFileSync('wireguard-tools.js.conf', wgQuick.stringify(wgQuick.parse(text)));
const config = new WgConfig({ filePath: 'asked.conf' });
config.parseFile().then(() => fs.writeFileSync('wireguard-tools.conf', config.toString()), (error) => console.log(error));
JS
node again.cjs
cat >inside <<'INSIDE'
set -euo pipefail
mount -t tmpfs none /run
for file in asked wireguard-tools wireguard-tools.js; do
  root/usr/bin/wireguard-go --foreground lab0 2>/dev/null >&2 &
  server=$!
  until [ -S /run/wireguard/lab0.sock ]; do sleep 0.1; done
  grep -vE '^(Address|DNS)' "$file.conf" >"$file.set"
  root/usr/bin/wg setconf lab0 "$file.set"
  echo "$file: $(grep -E '^(Address|DNS)' "$file.conf" | sed 's/ = /=/; s/, /,/g' | paste -s -d ' ')"
  echo "$file: $(root/usr/bin/wg showconf lab0 | grep -E '^(AllowedIPs|Endpoint|Persistent)' | sed 's/ = /=/; s/, /,/g' | paste -s -d ' ' |
    sed 's/ AllowedIPs/\nAllowedIPs/' | sort | paste -s -d ';' | sed 's/;/; /')"
  kill "$server"
  wait "$server" || true
  rm -f /run/wireguard/lab0.sock
done
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net --mount --pid --fork --kill-child bash inside)
echo "$answer"
[ "$answer" = "asked: Address=10.9.0.1/24
asked: AllowedIPs=10.1.0.0/16,10.2.0.0/16 Endpoint=192.0.2.1:51820 PersistentKeepalive=25; AllowedIPs=10.3.0.0/16 Endpoint=[2001:db8::1]:51820 PersistentKeepalive=25
wireguard-tools: Address=10.9.0.1/24
wireguard-tools: AllowedIPs=10.1.0.0/16 Endpoint=192.0.2.1:51820; AllowedIPs=10.3.0.0/16
wireguard-tools.js: DNS=1.1.1.1,8.8.8.8
wireguard-tools.js: AllowedIPs=10.1.0.0/16,10.2.0.0/16; AllowedIPs=10.3.0.0/16 Endpoint=[2001:db8::1]:51820" ] || { echo "CHANGED"; exit 1; }
echo "as described"
