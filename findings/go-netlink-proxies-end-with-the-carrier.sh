#!/usr/bin/env bash
# vishvananda/netlink 1.3.1: a proxy neighbour of NeighAdd is gone when its link loses its carrier, and one of `ip neigh add proxy` stays.
#
# The kernel keeps a proxy through a loss of carrier only if its request has the state NUD_PERMANENT, as that of `ip` does. A Neigh
# with the flag NTF_PROXY has no state by default, and no document asks for one. The kernel never reports which kind a proxy is:
# both are listed alike, and what NeighProxyList returns is added again as the kind that goes. No message reports the deletion.
#
# Output seen, 2026-11-28 (Linux 6.18; a bridge, before and after its only port was without carrier):
#   before: 10.0.0.98 proxy 10.0.0.99 proxy
#   after: 10.0.0.98 proxy
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
cat >main.go <<'GO'
package main

import (
	"net"

	"github.com/vishvananda/netlink"
)

func main() {
	link, err := netlink.LinkByName("br0")
	if err != nil {
		panic(err)
	}
	proxy := netlink.Neigh{LinkIndex: link.Attrs().Index, Flags: netlink.NTF_PROXY, IP: net.ParseIP("10.0.0.99")}
	if err := netlink.NeighAdd(&proxy); err != nil {
		panic(err)
	}
}
GO
go mod init lab 2>/dev/null
go get github.com/vishvananda/netlink@v1.3.1 2>/dev/null
go build -o proxy .
cat >inside <<'INSIDE'
set -euo pipefail
ip link add br0 type bridge
ip link add port0 type veth peer name host0
ip link set port0 master br0
for link in br0 port0 host0; do ip link set "$link" up; done
sleep 2
ip neigh add proxy 10.0.0.98 dev br0
./proxy
proxies() { ip neigh show proxy dev br0 | sort | xargs; }
before=$(proxies)
timeout 7 ip monitor neigh >monitor &
ip link set host0 down
sleep 3
after=$(proxies)
wait || true
echo "before: $before"
echo "after: $after"
if grep 10.0.0.99 monitor; then echo 'CHANGED: there is a message'; exit 1; fi
[ "$before" = '10.0.0.98 proxy 10.0.0.99 proxy' ] && [ "$after" = '10.0.0.98 proxy' ] || { echo 'CHANGED'; exit 1; }
INSIDE
unshare --user --map-root-user --net bash inside
echo 'as described'
