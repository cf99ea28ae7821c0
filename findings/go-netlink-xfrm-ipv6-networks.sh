#!/usr/bin/env bash
# vishvananda/netlink 1.3.1: XfrmPolicyList returns IPv4 networks for IPv6 ones whose address is zero after the first 32 bits, as that of
# most allocations is: 2001:db8::/32 is 32.1.13.184/32. Behind a longer prefix, the network is nil.
#
# The kernel has one field of 16 bytes for both families, and the family beside it. The library does not look at the family, also where
# the caller asks for FAMILY_V6, and takes 12 zeros for the end of an IPv4 address. XfrmPolicyAdd of such a policy adds one for IPv4, without
# an error: what was to be encrypted, or blocked, is not any more. A policy of other IPv6 networks comes back as it was.
#
# Output seen, 2026-11-28 (`ip xfrm policy`, what the library has, and what it adds after the policy is deleted):
#   2001:db8::/32 to fd00::/8: read as 32.1.13.184/32 to 253.0.0.0/8, added again as 32.1.13.184/32 to 253.0.0.0/8
#   2001:db8::/48 to fd00::/8: read as <nil> to 253.0.0.0/8, added again as 32.1.13.184/0 to 253.0.0.0/8
#   2001:db8:0:1::/64 to fd00:1:2::/48: read as 2001:db8:0:1::/64 to fd00:1:2::/48, added again as 2001:db8:0:1::/64 to fd00:1:2::/48
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
	"os"

	"github.com/vishvananda/netlink"
)

func main() {
	list, err := netlink.XfrmPolicyList(netlink.FAMILY_V6)
	if err != nil {
		panic(err)
	}
	fmt.Println(list[0].Src, "to", list[0].Dst)
	// iproute2 deletes it by the networks that it has.
	os.Stdout.Sync()
	var line string
	fmt.Scanln(&line)
	if err := netlink.XfrmPolicyAdd(&list[0]); err != nil {
		panic(err)
	}
}
GO
go mod init lab 2>/dev/null
go get github.com/vishvananda/netlink@v1.3.1 2>/dev/null
go build -o copy .
cat >inside <<'INSIDE'
set -euo pipefail
copy() {
  ip xfrm policy add src "$1" dst "$2" dir out action block
  coproc library { ./copy; }
  read -r seen <&"${library[0]}"
  ip xfrm policy deleteall
  echo >&"${library[1]}"
  wait "$library_PID"
  added=$(ip xfrm policy | sed -n 's/^src \(\S*\) dst \(\S*\).*/\1 to \2/p')
  ip xfrm policy deleteall
  echo "$1 to $2: read as $seen, added again as $added"
}
copy 2001:db8::/32 fd00::/8
copy 2001:db8::/48 fd00::/8
copy 2001:db8:0:1::/64 fd00:1:2::/48
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "2001:db8::/32 to fd00::/8: read as 32.1.13.184/32 to 253.0.0.0/8, added again as 32.1.13.184/32 to 253.0.0.0/8
2001:db8::/48 to fd00::/8: read as <nil> to 253.0.0.0/8, added again as 32.1.13.184/0 to 253.0.0.0/8
2001:db8:0:1::/64 to fd00:1:2::/48: read as 2001:db8:0:1::/64 to fd00:1:2::/48, added again as 2001:db8:0:1::/64 to fd00:1:2::/48" ] ||
  { echo "CHANGED"; exit 1; }
echo "as described"
