#!/usr/bin/env bash
# vishvananda/netlink 1.3.1: the Buffer of a Tbf is in ticks of the packet scheduler, beside a Rate and a Limit in bytes.
#
# A Buffer of 3000 is a burst of 192 kB at 8 Gbit/s and of 24 kB at 1 Gbit/s. tc, pyroute2 and the kernel's own TCA_TBF_BURST
# take bytes. Neither the field nor the function has a comment on it. QdiscList gives the same ticks back.
#
# Output seen, 2026-11-27:
#   Rate 125000000, Buffer 3000:  rate 1Gbit burst 24000b
#   Rate 1000000000, Buffer 3000: rate 8Gbit burst 192000b
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
cat >main.go <<'GO'
package main

import (
	"os"
	"strconv"

	"github.com/vishvananda/netlink"
)

func main() {
	link, err := netlink.LinkByName("lab0")
	if err != nil {
		panic(err)
	}
	rate, _ := strconv.ParseUint(os.Args[1], 10, 64)
	root := netlink.QdiscAttrs{LinkIndex: link.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}
	if err := netlink.QdiscReplace(&netlink.Tbf{QdiscAttrs: root, Rate: rate, Limit: 1000000, Buffer: 3000}); err != nil {
		panic(err)
	}
}
GO
go mod init lab 2>/dev/null
go get github.com/vishvananda/netlink@v1.3.1 2>/dev/null
go build -o bucket .
cat >inside <<'INSIDE'
set -euo pipefail
ip link add lab0 type veth peer name lab1
check() {
  ./bucket "$1"
  echo "Rate $1, Buffer 3000: $(tc qdisc show dev lab0)"
  tc qdisc show dev lab0 | grep -q "$2" || { echo 'CHANGED'; exit 1; }
}
check 125000000 'rate 1Gbit burst 24000b'
check 1000000000 'rate 8Gbit burst 192000b'
INSIDE
unshare --user --map-root-user --net bash inside
echo "as described"
