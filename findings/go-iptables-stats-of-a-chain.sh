#!/usr/bin/env bash
# coreos/go-iptables 0.8.0: StructuredStats fails for a whole chain where one rule has an exception (`! -s`), or has no target, and
# Stats returns the fields of a rule without a target under the names of their neighbours.
#
# The library splits what `iptables -L -n -v -x` prints at the spaces. A rule that only counts has none in the column of the target,
# so that its protocol is returned as its target, its destination as its source, and the word of its match as an address of
# IPv6. Both rules are listed by `-S`, and a program that watches counters meets them in each chain that others fill as well.
#
# iptables 1.8.9 (Debian 12). Output seen, 2026-11-28:
#   -s 10.0.0.1/32 -p tcp -m tcp --dport 80 -j ACCEPT: target ACCEPT, source 10.0.0.1/32, destination 0.0.0.0/0; <nil>
#   -s 10.0.0.1/32 -p tcp -m tcp --dport 80: target 6, source 0.0.0.0/0, destination tcp/128; invalid CIDR address: tcp/128
#   ! -s 10.0.0.1/32 -j ACCEPT: target ACCEPT, source !10.0.0.1/32, destination 0.0.0.0/0; invalid CIDR address: !10.0.0.1/32
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
	"strings"

	"github.com/coreos/go-iptables/iptables"
)

func main() {
	tool, err := iptables.New()
	if err != nil {
		panic(err)
	}
	for _, rule := range []string{
		"-s 10.0.0.1/32 -p tcp -m tcp --dport 80 -j ACCEPT",
		"-s 10.0.0.1/32 -p tcp -m tcp --dport 80",
		"! -s 10.0.0.1/32 -j ACCEPT",
	} {
		if err := tool.ClearChain("filter", "LAB"); err != nil {
			panic(err)
		}
		if err := tool.Append("filter", "LAB", strings.Fields(rule)...); err != nil {
			panic(err)
		}
		rows, err := tool.Stats("filter", "LAB")
		if err != nil {
			panic(err)
		}
		_, err = tool.StructuredStats("filter", "LAB")
		reason, _, _ := strings.Cut(fmt.Sprint(err), "%!")
		fmt.Printf("%s: target %s, source %s, destination %s; %s\n", rule, rows[0][2], rows[0][7], rows[0][8], reason)
	}
}
GO
go mod init lab 2>/dev/null
go get github.com/coreos/go-iptables@v0.8.0 2>/dev/null
go build -o stats .
answer=$(XTABLES_LOCKFILE=$work/lock timeout 30 unshare --user --map-root-user --net ./stats)
echo "$answer"
[ "$answer" = "-s 10.0.0.1/32 -p tcp -m tcp --dport 80 -j ACCEPT: target ACCEPT, source 10.0.0.1/32, destination 0.0.0.0/0; <nil>
-s 10.0.0.1/32 -p tcp -m tcp --dport 80: target 6, source 0.0.0.0/0, destination tcp/128; invalid CIDR address: tcp/128
! -s 10.0.0.1/32 -j ACCEPT: target ACCEPT, source !10.0.0.1/32, destination 0.0.0.0/0; invalid CIDR address: !10.0.0.1/32" ] || { echo "CHANGED"; exit 1; }
echo "as described"
