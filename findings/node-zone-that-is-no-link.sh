#!/usr/bin/env bash
# Node.js 20.20.2 (libuv 1.46) against 24.21.0 (libuv 1.52): a zone that names no link is ignored without an error, and so is one
# that is a number, which RFC 4007 and getaddrinfo(3) have for the index of a link.
#
# uv_ip6_addr() takes what if_nametoindex(3) returns for the zone, which is 0 for an unknown name and for every number. With 0 the
# kernel refuses to connect to a link-local address (EINVAL); but from libuv 1.49 on, uv_tcp_connect() puts the index of the first
# link that has a link-local address there. So 24.21.0 connects to another host's link-local address than the caller has named:
# through eth0 instead of eth1, or of a missing link. A datagram uses the link of the route in both versions.
#
# Output seen, 2026-11-27 (a server on each link; eth1 has the index 7, as `ip link` says):
#   v20.20.2: eth1 by its name: second; eth1 by its index: EINVAL; a link that is not there: EINVAL
#   v24.21.0: eth1 by its name: second; eth1 by its index: first; a link that is not there: first
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >client.cjs <<'PROGRAM'
const net = require('node:net')
const ask = (zone) =>
  new Promise((resolve) => {
    const socket = net.connect({ host: `fe80::2%${zone}`, port: 8000 })
    socket.on('data', (data) => resolve(String(data))).on('error', ({ code }) => resolve(code))
  })
const all = async () => {
  const results = [await ask('eth1'), await ask('7'), await ask('nothere')]
  console.log(`${process.version}: eth1 by its name: ${results[0]}; eth1 by its index: ${results[1]}; a link that is not there: ${results[2]}`)
  process.exit()
}
all()
PROGRAM
cat >server.cjs <<'PROGRAM'
const server = require('node:net').createServer((socket) => socket.end(process.argv[2]))
server.listen(8000, '::', () => console.log('ready'))
PROGRAM
cat >lab.sh <<'LAB'
set -euo pipefail
node=$1
server() {
  coproc unshare --net sh -c 'read -r _ && exec "$0" server.cjs "$1"' "$2" "$3"
  in=${COPROC[1]} out=${COPROC[0]} pid=$COPROC_PID
  until [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
  ip link set "peer$1" netns "$pid" name eth0
  nsenter --target "$pid" --net sh -c 'ip link set eth0 up && ip -6 address add fe80::2/64 dev eth0 nodad'
  echo >&"$in"
  read -r _ <&"$out"
}
ip link add eth0 index 6 type veth peer name peer0
ip link add eth1 index 7 type veth peer name peer1
for index in 0 1; do ip link set "eth$index" up && ip -6 address add "fe80::1/64" dev "eth$index" nodad; done
server 0 "$node" first
first=$pid
server 1 "$node" second 2>/dev/null
# Until the links' own addresses can be used.
sleep 3
"$node" client.cjs
kill "$first" "$pid"
LAB
run() {
  npm install --silent --no-audit --no-fund --prefix "$1" "node@$1" >/dev/null
  timeout 60 unshare --user --map-root-user --net bash lab.sh "$work/$1/node_modules/node/bin/node"
}
expect() {
  echo "$1"
  [ "$1" = "$2" ] || { echo "expected: $2" >&2 && exit 1; }
}
expect "$(run 20.20.2)" 'v20.20.2: eth1 by its name: second; eth1 by its index: EINVAL; a link that is not there: EINVAL'
expect "$(run 24.21.0)" 'v24.21.0: eth1 by its name: second; eth1 by its index: first; a link that is not there: first'
