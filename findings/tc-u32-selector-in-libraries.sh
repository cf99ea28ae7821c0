#!/usr/bin/env bash
# pyroute2 0.9.7 and florianl/go-tc 0.4.5 read the selector of a u32 filter from other bytes than the kernel writes it to.
#
# After three single bytes, struct tc_u32_sel has one that the compiler adds. pyroute2 finds the selector's own fields, and begins with the
# keys four bytes too early: the hash mask is the mask of the first key, its mask is its value, and so on, for every u32 filter. go-tc
# finds the keys, and reads what stands between one byte too early: the offset of the hash key is 3072, not 12. It writes them to the same
# wrong place, so that a round trip by the library alone shows nothing.
#
# tc of Debian 12 is the other side: "match 0a090000/ffff0000 at 16, offset 0f00>>6 at 0 plus 4, hash mask 0000ff00 at 12".
# Output seen, 2026-11-28 (pyroute2: in network byte order; go-tc: the keys in the machine's byte order):
#   pyroute2: mask 0000ff00 value ffff0000 at 2314; offset 0f00>>6 plus 4, hash mask 0000ff00 at 12
#   go-tc: mask 0000ffff value 0000090a at 16; offset 000f>>6 plus 1024, hash mask 000000ff at 3072
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyroute2==0.9.7
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net"

	"github.com/florianl/go-tc"
)

func main() {
	conn, err := tc.Open(&tc.Config{})
	if err != nil {
		panic(err)
	}
	link, err := net.InterfaceByName("lab0")
	if err != nil {
		panic(err)
	}
	list, err := conn.Filter().Get(&tc.Msg{Ifindex: uint32(link.Index), Parent: 0x10000})
	if err != nil {
		panic(err)
	}
	for _, filter := range list {
		if filter.U32 == nil || filter.U32.Sel == nil {
			continue
		}
		s, key := filter.U32.Sel, filter.U32.Sel.Keys[0]
		fmt.Printf("go-tc: mask %08x value %08x at %d; ", key.Mask, key.Val, key.Off)
		fmt.Printf("offset %04x>>%d plus %d, hash mask %08x at %d\n", s.OffMask, s.Offshift, s.Off, s.Hmask, s.Hoff)
	}
}
GO
go mod init lab 2>/dev/null
go get github.com/florianl/go-tc@v0.4.5 2>/dev/null
go build -o filters .
cat >inside.py <<'INSIDE'
from pyroute2 import IPRoute

with IPRoute() as route:
    [index] = route.link_lookup(ifname='lab0')
    for found in route.get_filters(index=index, parent=0x10000):
        options = found.get_attr('TCA_OPTIONS')
        s = options.get_attr('TCA_U32_SEL') if options else None
        if s:
            key = s['keys'][0]
            print(f"pyroute2: mask {key['key_mask']:08x} value {key['key_val']:08x} at {key['key_off']};", end=' ')
            print(f"offset {s['offmask']:04x}>>{s['offshift']} plus {s['off']}, hash mask {s['hmask']:08x} at {s['hoff']}")
INSIDE
cat >inside <<'INSIDE'
set -euo pipefail
ip link add lab0 type veth peer name lab1
tc qdisc add dev lab0 root handle 1: htb
tc filter add dev lab0 parent 1: protocol ip prio 1 handle 10: u32 divisor 16
tc filter add dev lab0 parent 1: protocol ip prio 1 u32 ht 800: match ip dst 10.9.0.0/16 \
  offset at 0 mask 0x0f00 shift 6 plus 4 hashkey mask 0x0000ff00 at 12 link 10:
shown=$(tc filter show dev lab0 parent 1: | sed -n '/match/,$p' | sed 's/^ *//; s/ *$//' | paste -sd ' ')
[ "$shown" = 'match 0a090000/ffff0000 at 16 offset 0f00>>6 at 0 plus 4 hash mask 0000ff00 at 12' ] || { echo "CHANGED: tc: $shown"; exit 1; }
venv/bin/python inside.py
./filters
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "pyroute2: mask 0000ff00 value ffff0000 at 2314; offset 0f00>>6 plus 4, hash mask 0000ff00 at 12
go-tc: mask 0000ffff value 0000090a at 16; offset 000f>>6 plus 1024, hash mask 000000ff at 3072" ] || { echo "CHANGED"; exit 1; }
echo "as described"
