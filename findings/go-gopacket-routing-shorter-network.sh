#!/usr/bin/env bash
# gopacket 1.7.7 (routing.Route): of two networks that hold an address it takes the larger one, and sends where the kernel would not.
#
# The routes are sorted by their metric alone, and the first one that holds the address is the answer; the kernel lists larger networks
# first, and more than twelve routes come out of the sort in any order. No prefix is compared. Routes of other tables than the main one count like those of it, whatever the rules
# say. Of two default routes the one with the higher metric is used, and an unreachable network, or one with several next hops, is
# neither a link nor an error. The package says that it "may actually route incorrectly in some cases"; this is one of the usual ones.
#
# Output seen, 2026-11-28 (link and gateway, of the kernel and of the package):
#   172.16.1.1, of 172.16.0.0/12 and 172.16.1.0/24: lab2 10.5.0.9, lab0 10.0.0.9
#   192.0.2.1, of a table that no rule names: lab2 10.5.0.9, lab0 10.0.0.9
#   203.0.113.1, of two default routes: lab2 10.5.0.9, lab0 10.0.0.9
#   172.16.3.1, unreachable: No route to host, no link, no error
#   198.51.100.1, by two next hops: lab0 10.0.0.9, no link, no error
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"os"

	"github.com/gopacket/gopacket/routing"
)

func main() {
	router, err := routing.New()
	if err != nil {
		panic(err)
	}
	link, gateway, _, err := router.Route(net.ParseIP(os.Args[1]))
	switch {
	case err != nil:
		fmt.Println(err)
	case link == nil:
		fmt.Println("no link, no error")
	default:
		fmt.Println(link.Name, gateway)
	}
}
GO
go mod init lab 2>/dev/null
go get github.com/gopacket/gopacket@v1.7.7 2>/dev/null
go build -o route .
cat >inside <<'INSIDE'
set -euo pipefail
for pair in 'lab0 lab1 10.0.0.1' 'lab2 lab3 10.5.0.1'; do
  read -r link peer address <<<"$pair"
  ip link add "$link" type veth peer name "$peer"
  ip link set "$link" up
  ip link set "$peer" up
  ip address add "$address/24" dev "$link"
done
kernel() { (ip route get "$1" 2>&1 || true) | sed -n '1s/.*via \([0-9.]*\) dev \(lab[0-9]\).*/\2 \1/; 1s/^RTNETLINK answers: //; 1p'; }
# ask ADDRESS WORDS ROUTE…: the routes are there for this answer only.
ask() {
  local address=$1 words=$2
  shift 2
  for route in "$@"; do ip route add $route; done
  echo "$address, $words: $(kernel "$address"), $(./route "$address")"
  for route in "$@"; do ip route delete $route; done
}
larger='172.16.0.0/12 via 10.0.0.9'
default='default via 10.5.0.9 metric 100'
ask 172.16.1.1 'of 172.16.0.0/12 and 172.16.1.0/24' "$larger" '172.16.1.0/24 via 10.5.0.9'
ask 192.0.2.1 'of a table that no rule names' "$default" '192.0.2.0/24 via 10.0.0.9 table 7'
ask 203.0.113.1 'of two default routes' "$default" 'default via 10.0.0.9 metric 200'
ask 172.16.3.1 unreachable 'unreachable 172.16.3.0/24'
ask 198.51.100.1 'by two next hops' '198.51.100.0/24 nexthop via 10.0.0.9 nexthop via 10.0.0.8' | sed 's|10.0.0.8|10.0.0.9|'
INSIDE
answer=$(timeout 30 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "172.16.1.1, of 172.16.0.0/12 and 172.16.1.0/24: lab2 10.5.0.9, lab0 10.0.0.9
192.0.2.1, of a table that no rule names: lab2 10.5.0.9, lab0 10.0.0.9
203.0.113.1, of two default routes: lab2 10.5.0.9, lab0 10.0.0.9
172.16.3.1, unreachable: No route to host, no link, no error
198.51.100.1, by two next hops: lab0 10.0.0.9, no link, no error" ] || { echo "CHANGED"; exit 1; }
echo "as described"
