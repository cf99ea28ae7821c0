#!/usr/bin/env bash
# google/nftables 0.3.0: a verdict map of GetSets has the type of its values in the place of the type of its keys, and a set of marks
# of GetSets is listed with other marks after AddSet.
#
# The type "verdict" is stored as KeyType, over the one that was read, and DataType stays empty: AddSet of what was read is an error.
# The byte order of the keys (KeyByteOrder, for nft) is written and not read: the copy of the marks 1 and 2 matches the same packets,
# and `nft list ruleset` shows 0x01000000 and 0x02000000, so that a saved ruleset does not. Sets of addresses come back as they were.
#
# Output seen, 2026-11-28:
#   map ipv4_addr : mark: keys ipv4_addr, values mark; again: no error
#   map ipv4_addr : verdict: keys verdict, values ; again: conn.Receive: netlink receive: invalid argument
#   set mark: elements = { 0x00000001, 0x00000002 } -> elements = { 0x01000000, 0x02000000 }
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
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	lib, err := nftables.New()
	check(err)
	for _, name := range []string{"values", "verdicts", "marks"} {
		table := &nftables.Table{Name: "before", Family: nftables.TableFamilyIPv4}
		set, err := lib.GetSetByName(table, name)
		check(err)
		elements, err := lib.GetSetElements(set)
		check(err)
		if set.IsMap {
			fmt.Printf("keys %s, values %s; again: ", set.KeyType.Name, set.DataType.Name)
			elements = nil
		}
		set.ID = 0
		set.Table = lib.AddTable(&nftables.Table{Name: "after", Family: nftables.TableFamilyIPv4})
		check(lib.AddSet(set, elements))
		if err = lib.Flush(); err == nil {
			fmt.Println("no error")
		} else {
			fmt.Println(err)
		}
	}
}
GO
go mod init lab 2>/dev/null
go get github.com/google/nftables@v0.3.0 2>/dev/null
go build -o again .
cat >inside <<'INSIDE'
set -euo pipefail
nft -f - <<'NFT'
table ip before {
  map values { type ipv4_addr : mark; }
  map verdicts { type ipv4_addr : verdict; }
  set marks { type mark; elements = { 1, 2 }; }
}
NFT
./again >said
echo "map ipv4_addr : mark: $(sed -n 1p said)"
echo "map ipv4_addr : verdict: $(sed -n 2p said)"
marks() { nft list set ip "$1" marks | grep -o 'elements.*'; }
echo "set mark: $(marks before) -> $(marks after)"
INSIDE
answer=$(timeout 30 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "map ipv4_addr : mark: keys ipv4_addr, values mark; again: no error
map ipv4_addr : verdict: keys verdict, values ; again: conn.Receive: netlink receive: invalid argument
set mark: elements = { 0x00000001, 0x00000002 } -> elements = { 0x01000000, 0x02000000 }" ] || { echo "CHANGED"; exit 1; }
echo "as described"
