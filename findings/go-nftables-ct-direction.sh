#!/usr/bin/env bash
# google/nftables 0.3.0: a rule that compares the source of a connection's reply (expr.Ct, Direction 1) becomes one that compares
# the source of its first packet, without an error. And GetRules fails for a whole chain if one of its rules has a direction.
#
# The direction is one byte (NFTA_CT_DIRECTION). The library sends four, the highest first, of which the kernel takes the first one,
# a zero: "original". When it reads, it expects four bytes.
#
# Output seen, 2026-11-28:
#   Direction 1 of the library: ct original ip saddr 10.0.0.1 accept
#   GetRules of nft's rule ct reply ip saddr 10.0.0.1: netlink: attribute 3 is not a uint32; length: 1
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

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

func main() {
	lib, err := nftables.New()
	if err != nil {
		panic(err)
	}
	table := lib.AddTable(&nftables.Table{Name: "lab", Family: nftables.TableFamilyIPv4})
	chain := lib.AddChain(&nftables.Chain{Name: "library", Table: table})
	lib.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
		&expr.Ct{Key: expr.CtKeySRC, Direction: 1, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{10, 0, 0, 1}},
		&expr.Verdict{Kind: expr.VerdictAccept},
	}})
	if err := lib.Flush(); err != nil {
		panic(err)
	}
	_, err = lib.GetRules(table, &nftables.Chain{Name: "tool", Table: table})
	fmt.Println(err)
}
GO
go mod init lab 2>/dev/null
go get github.com/google/nftables@v0.3.0 2>/dev/null
go build -o direction .
cat >inside <<'INSIDE'
set -euo pipefail
nft 'add table ip lab; add chain ip lab tool; add rule ip lab tool tcp dport 80 accept; add rule ip lab tool ct reply ip saddr 10.0.0.1 accept'
error=$(./direction)
nft list chain ip lab tool | grep -q 'ct reply ip saddr 10.0.0.1 accept'
echo "Direction 1 of the library:$(nft list chain ip lab library | grep accept | sed 's|^[[:space:]]*| |')"
echo "GetRules of nft's rule ct reply ip saddr 10.0.0.1: $error"
INSIDE
answer=$(timeout 30 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "Direction 1 of the library: ct original ip saddr 10.0.0.1 accept
GetRules of nft's rule ct reply ip saddr 10.0.0.1: netlink: attribute 3 is not a uint32; length: 1" ] || { echo "CHANGED"; exit 1; }
echo "as described"
