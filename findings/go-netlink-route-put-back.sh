#!/usr/bin/env bash
# vishvananda/netlink 1.3.1: a route of RouteList that is given to RouteReplace comes back as another route, without an error.
#
# The listing has no field for an IPv4 encapsulation (`encap ip`), for the preference and the expiry of an IPv6 route, and for the
# id of a next hop. The first is the worst: packets that went through the tunnel leave without it.
#
# Output seen, 2026-11-27 (`ip route` before and after):
#   10.3.0.0/16 encap ip id 5 src 0.0.0.0 dst 10.0.0.3 ttl 0 tos 0 dev lab0 scope link -> 10.3.0.0/16 dev lab0 scope link
#   10.10.0.0/16 nhid 9 via 10.0.0.9 dev lab0                                          -> 10.10.0.0/16 via 10.0.0.9 dev lab0
#   fd05::/64 via fd00::9 dev lab0 metric 1024 expires 99sec pref high -> fd05::/64 via fd00::9 dev lab0 metric 1024 pref medium
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
cat >main.go <<'GO'
package main

import "github.com/vishvananda/netlink"

func main() {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_ALL)
	if err != nil {
		panic(err)
	}
	for _, route := range routes {
		if route.Protocol == 2 { // the kernel's own
			continue
		}
		if err := netlink.RouteReplace(&route); err != nil {
			panic(err)
		}
		// IPv6 adds a route where the other one differs.
		if err := netlink.RouteDel(&route); err != nil {
			panic(err)
		}
		if err := netlink.RouteAdd(&route); err != nil {
			panic(err)
		}
	}
}
GO
go mod init lab 2>/dev/null
go get github.com/vishvananda/netlink@v1.3.1 2>/dev/null
go build -o again .
cat >inside <<'INSIDE'
set -euo pipefail
ip link add lab0 type veth peer name lab1
ip link set lab1 up
ip link set lab0 up
ip address add 10.0.0.1/24 dev lab0
ip address add fd00::1/64 dev lab0 nodad
ip nexthop add id 9 via 10.0.0.9 dev lab0
ip route add 10.3.0.0/16 encap ip id 5 dst 10.0.0.3 dev lab0
ip route add 10.10.0.0/16 nhid 9
ip -6 route add fd05::/64 via fd00::9 pref high expires 100
routes() {
  ip -o route show 10.3.0.0/16
  ip -o route show 10.10.0.0/16
  ip -o -6 route show fd05::/64
}
routes >before
./again
routes >after
paste -d '>' before after | sed 's/ *>/ -> /'
grep -q 'encap ip id 5' before && ! grep -q encap after || { echo 'CHANGED: encap'; exit 1; }
grep -q 'nhid 9' before && ! grep -q nhid after || { echo 'CHANGED: nhid'; exit 1; }
grep -q 'expires .* pref high' before && ! grep -q 'expires\|high' after || { echo 'CHANGED: expires, pref'; exit 1; }
INSIDE
unshare --user --map-root-user --net bash inside
echo "as described"
