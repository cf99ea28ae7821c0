#!/usr/bin/env bash
# jsimonetti/rtnetlink 2.3.0: the users of a routing rule (RuleUIDRange) have 16 bits each; those of the kernel have 32.
#
# Reading takes the two halves of the first user for the range: 1000-1000 is 1000-0, and 100000-100000 is 34464-1. There is no
# error. What the library writes has half the size, and the kernel refuses it.
#
# Output seen, 2026-11-28:
#   uidrange 1000-1000: read as {Start:1000 End:0}, written again as 1000-1000: netlink receive: numerical result out of range
#   uidrange 100000-100000: read as {Start:34464 End:1}
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

	"github.com/jsimonetti/rtnetlink/v2"
)

func main() {
	conn, err := rtnetlink.Dial(nil)
	if err != nil {
		panic(err)
	}
	rules, err := conn.Rule.List()
	if err != nil {
		panic(err)
	}
	for _, rule := range rules {
		if rule.Attributes.UIDRange != nil {
			fmt.Printf("read as %+v", *rule.Attributes.UIDRange)
		}
	}
	if os.Getuid() < 65536 {
		table, user := uint32(100), uint16(os.Getuid())
		fmt.Printf(", written again as %d-%d: ", user, user)
		fmt.Print(conn.Rule.Add(&rtnetlink.RuleMessage{Family: 2, Action: 1, Attributes: &rtnetlink.RuleAttributes{
			Table:    &table,
			UIDRange: &rtnetlink.RuleUIDRange{Start: user, End: user},
		}}))
	}
	fmt.Println()
}
GO
go mod init lab 2>/dev/null
go get github.com/jsimonetti/rtnetlink/v2@v2.3.0 2>/dev/null
go build -o rules .
cat >inside <<'INSIDE'
set -euo pipefail
ip rule add uidrange "$UID-$UID" lookup 100
ip rule | grep -q "uidrange $UID-$UID lookup 100"
echo "uidrange $UID-$UID: $(./rules)"
INSIDE
# A rule can only name users that the user namespace has: each has one.
answer=$(for user in 1000 100000; do timeout 30 unshare --user --map-user=$user --keep-caps --net bash inside; done)
echo "$answer"
[ "$answer" = "uidrange 1000-1000: read as {Start:1000 End:0}, written again as 1000-1000: netlink receive: numerical result out of range
uidrange 100000-100000: read as {Start:34464 End:1}" ] || { echo "CHANGED"; exit 1; }
echo "as described"
