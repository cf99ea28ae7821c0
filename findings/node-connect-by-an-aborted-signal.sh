#!/usr/bin/env bash
# Node.js 20.20.2, 22.23.3 and 24.21.0: net.connect() with a signal that is aborted already connects all the same. The socket emits
# 'error' (ABORT_ERR) and 'close', as the documentation of `signal` says, and then 'connect': the server has a connection, which stays
# open. tls.connect() does the same. No later abort is noticed, since the signal has no more events. The socket of a connection to an
# address that never answers stays open, too.
#
# Output seen, 2026-11-28, with each version: events: error ABORT_ERR, close, connect; the server has 1 connection; destroyed: false
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cat >connect.cjs <<'PROGRAM'
const net = require('node:net')
let connections = 0
const server = net.createServer(() => (connections += 1))
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address()
  const events = []
  const socket = net.connect({ host: '127.0.0.1', port, signal: AbortSignal.abort() })
  for (const event of ['connect', 'close']) socket.on(event, () => events.push(event))
  socket.on('error', ({ code }) => events.push(`error ${code}`))
  setTimeout(() => {
    const what = `events: ${events.join(', ')}; the server has ${connections} connection; destroyed: ${socket.destroyed}`
    console.log(what)
    process.exit()
  }, 500)
})
PROGRAM
expected='events: error ABORT_ERR, close, connect; the server has 1 connection; destroyed: false'
status=0
for version in 20.20.2 22.23.3 24.21.0; do
  npm install --silent --no-audit --no-fund --prefix "$version" "node@$version"
  seen=$("$version/node_modules/node/bin/node" connect.cjs)
  echo "$version: $seen"
  [ "$seen" = "$expected" ] || status=1
done
[ "$status" -eq 0 ] && echo 'as described'
exit "$status"
