#!/usr/bin/env bash
# vishvananda/netlink 1.3.1: RuleList does not say what a routing rule does. One that refuses packets (`blackhole`, `prohibit`,
# `unreachable`) is returned as one that looks up table 0. RuleAdd makes a rule of it that looks up an empty table, the next number that
# the kernel has no table for, and the packets go on to the rules behind it.
#
# The field exists (Rule.Type), and RuleAdd writes it: RuleList leaves it at 0. So a program that moves or restores rules lets pass what was
# refused, without an error. It is the same for rules of a VRF (`l3mdev`).
#
# Output seen, 2026-11-28 (each rule, the type that was read, and the rule after RuleDel and RuleAdd; none had an error):
#   from 10.1.0.0/16 blackhole: 0, from 10.1.0.0/16 lookup 1
#   from 10.1.0.0/16 prohibit: 0, from 10.1.0.0/16 lookup 2
#   from 10.1.0.0/16 unreachable: 0, from 10.1.0.0/16 lookup 3
#   from all lookup [l3mdev-table]: 0, from all lookup 4
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

	"github.com/vishvananda/netlink"
)

func main() {
	list, err := netlink.RuleList(netlink.FAMILY_V4)
	if err != nil {
		panic(err)
	}
	for _, rule := range list {
		if rule.Priority == 100 {
			fmt.Print(rule.Type)
			if err := netlink.RuleDel(&rule); err != nil {
				fmt.Print(" ", err)
			}
			if err := netlink.RuleAdd(&rule); err != nil {
				fmt.Print(" ", err)
			}
		}
	}
}
GO
go mod init lab 2>/dev/null
go get github.com/vishvananda/netlink@v1.3.1 2>/dev/null
go build -o copy .
cat >inside <<'INSIDE'
set -euo pipefail
shown() { ip rule show priority 100 | sed 's/^100:\s*//; s/ *$//'; }
for rule in 'from 10.1.0.0/16 blackhole' 'from 10.1.0.0/16 prohibit' 'from 10.1.0.0/16 unreachable' l3mdev; do
  ip rule add $rule priority 100
  before=$(shown)
  read=$(./copy)
  echo "$before: $read, $(shown)"
  ip rule delete priority 100
done
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "from 10.1.0.0/16 blackhole: 0, from 10.1.0.0/16 lookup 1
from 10.1.0.0/16 prohibit: 0, from 10.1.0.0/16 lookup 2
from 10.1.0.0/16 unreachable: 0, from 10.1.0.0/16 lookup 3
from all lookup [l3mdev-table]: 0, from all lookup 4" ] || { echo "CHANGED"; exit 1; }
echo "as described"
