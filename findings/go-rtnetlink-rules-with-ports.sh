#!/usr/bin/env bash
# jsimonetti/rtnetlink 2.3.0: since Linux 6.15, one routing rule with a port makes Rule.List fail for all rules.
#
# The kernel now reports a mask beside each port (FRA_DPORT_MASK), also for rules that were added without one. The library takes an
# attribute that it does not know for an error here; it skips those of routes, links and addresses. vishvananda/netlink 1.3.1
# lists the same rules.
#
# Output seen, 2026-11-28 (Linux 6.18):
#   without ports: 3 rules, error: <nil>
#   dport 80: 0 rules, error: rtnetlink RuleMessage contains an unknown Attribute
#   vishvananda/netlink: 4 rules, error: <nil>
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
	"github.com/vishvananda/netlink"
)

func main() {
	if len(os.Args) > 1 {
		rules, err := netlink.RuleList(netlink.FAMILY_V4)
		fmt.Printf("%d rules, error: %v\n", len(rules), err)
		return
	}
	conn, err := rtnetlink.Dial(nil)
	if err != nil {
		panic(err)
	}
	rules, err := conn.Rule.List()
	count := 0
	for _, rule := range rules {
		if rule.Family == 2 {
			count++
		}
	}
	fmt.Printf("%d rules, error: %v\n", count, err)
}
GO
go mod init lab 2>/dev/null
go get github.com/jsimonetti/rtnetlink/v2@v2.3.0 github.com/vishvananda/netlink@v1.3.1 2>/dev/null
go build -o rules .
uname -sr
cat >inside <<'INSIDE'
set -euo pipefail
echo "without ports: $(./rules)"
ip rule add dport 80 lookup 100
ip rule | grep -q 'dport 80 lookup 100'
echo "dport 80: $(./rules)"
echo "vishvananda/netlink: $(./rules other)"
INSIDE
answer=$(timeout 30 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "without ports: 3 rules, error: <nil>
dport 80: 0 rules, error: rtnetlink RuleMessage contains an unknown Attribute
vishvananda/netlink: 4 rules, error: <nil>" ] || { echo "CHANGED"; exit 1; }
echo "as described"
