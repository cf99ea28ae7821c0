#!/usr/bin/env bash
# google/nftables 0.3.0: a rule of GetRules that is given to AddRule comes back with other numbers, without an error.
#
# The kernel swaps the bytes of a mark, a user, a time or a counter by an expression of its own (byteorder) before it compares them
# with a range, as these have the byte order of the machine. The library can write this expression; when it reads a rule it
# leaves out byteorder and each expression that it does not know, and reports nothing. What is left is a valid rule that matches
# something else. A rule that compares two addresses or ports has no such expression, and comes back as it was.
#
# Output seen, 2026-11-28 (`nft list ruleset` before and after):
#   meta mark 0x00000005-0x00000064 accept -> meta mark 0x05000000-0x64000000 accept
#   meta skuid > 1000 accept -> meta skuid > 3892510720 accept
#   meta hour "10:00"-"12:00" accept -> meta hour "02:40"-"03:12" accept
#   ct bytes > 100000 accept -> ct bytes > 11566933792459325440 accept
#   tcp dport 1000-2000 accept -> tcp dport 1000-2000 accept
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw TZ=UTC
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
cat >main.go <<'GO'
package main

import "github.com/google/nftables"

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	lib, err := nftables.New()
	check(err)
	chains, err := lib.ListChains()
	check(err)
	for _, chain := range chains {
		rules, err := lib.GetRules(chain.Table, chain)
		check(err)
		again := lib.AddChain(&nftables.Chain{Table: chain.Table, Name: "again"})
		for _, rule := range rules {
			lib.AddRule(&nftables.Rule{Table: chain.Table, Chain: again, Exprs: rule.Exprs, UserData: rule.UserData})
		}
	}
	check(lib.Flush())
}
GO
go mod init lab 2>/dev/null
go get github.com/google/nftables@v0.3.0 2>/dev/null
go build -o again .
cat >inside <<'INSIDE'
set -euo pipefail
nft -f - <<'NFT'
table ip lab {
  chain before {
    meta mark 5-100 accept
    meta skuid > 1000 accept
    meta hour "10:00"-"12:00" accept
    ct bytes > 100000 accept
    tcp dport 1000-2000 accept
  }
}
NFT
./again
rules() { nft list chain ip lab "$1" | grep accept | sed 's/^[[:space:]]*//'; }
rules before >before
rules again >again.txt
paste -d '>' before again.txt | sed 's/accept>/accept -> /'
INSIDE
answer=$(timeout 30 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = 'meta mark 0x00000005-0x00000064 accept -> meta mark 0x05000000-0x64000000 accept
meta skuid > 1000 accept -> meta skuid > 3892510720 accept
meta hour "10:00"-"12:00" accept -> meta hour "02:40"-"03:12" accept
ct bytes > 100000 accept -> ct bytes > 11566933792459325440 accept
tcp dport 1000-2000 accept -> tcp dport 1000-2000 accept' ] || { echo "CHANGED"; exit 1; }
echo "as described"
