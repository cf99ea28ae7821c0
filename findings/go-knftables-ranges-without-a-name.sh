#!/usr/bin/env bash
# sigs.k8s.io/knftables 0.0.22 (Kubernetes): ListElements returns an empty key for each range of a set or map, without an error.
#
# nft's JSON has {"range": [first, last]} for it. The library takes every object of one member that it does not know for a verdict, and
# a verdict without a target for its name, which it then does not set. Two ranges look alike, and a range inside a concatenation is an
# empty part of it. A program that compares what it wants with what there is, finds no range of its own there, and what it deletes is
# nothing that nft can read. The same range written as a prefix is listed.
#
# Output seen, 2026-11-28 (elements of nft, and the keys of ListElements):
#   10.0.0.1-10.0.0.5, 10.1.0.0/16, 10.2.0.0-10.2.0.9: [""] ["10.1.0.0/16"] [""]
#   10.0.0.1 . 80-90, 10.0.0.2 . 53: ["10.0.0.1" ""] ["10.0.0.2" "53"]
#   80-90 : drop, 443 : accept: [""] ["443"]
#   deletion of the first one: syntax error, unexpected '}'
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/knftables"
)

func main() {
	ctx := context.Background()
	nft, err := knftables.New(knftables.InetFamily, "lab")
	if err != nil {
		panic(err)
	}
	var first *knftables.Element
	for _, of := range [][3]string{
		{"set", "hosts", "10.0.0.1-10.0.0.5, 10.1.0.0/16, 10.2.0.0-10.2.0.9"},
		{"set", "pairs", "10.0.0.1 . 80-90, 10.0.0.2 . 53"},
		{"map", "ports", "80-90 : drop, 443 : accept"},
	} {
		elements, err := nft.ListElements(ctx, of[0], of[1])
		if err != nil {
			panic(err)
		}
		fmt.Print(of[2], ":")
		for _, element := range elements {
			fmt.Printf(" %q", element.Key)
			if first == nil {
				first = element
			}
		}
		fmt.Println()
	}
	change := nft.NewTransaction()
	change.Delete(first)
	err = nft.Run(ctx, change)
	_, reason, _ := strings.Cut(fmt.Sprint(err), "Error: ")
	reason, _, _ = strings.Cut(reason, "\n")
	fmt.Println("deletion of the first one:", reason)
}
GO
go mod init lab 2>/dev/null
go get sigs.k8s.io/knftables@v0.0.22 2>/dev/null
go build -o elements .
cat >rules.nft <<'RULES'
table inet lab {
  set hosts { type ipv4_addr; flags interval; elements = { 10.0.0.1-10.0.0.5, 10.1.0.0/16, 10.2.0.0-10.2.0.9 }; }
  set pairs { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.1 . 80-90, 10.0.0.2 . 53 }; }
  map ports { type inet_service : verdict; flags interval; elements = { 80-90 : drop, 443 : accept }; }
}
RULES
answer=$(timeout 30 unshare --user --map-root-user --net bash -euo pipefail -c 'nft -f rules.nft; ./elements')
echo "$answer"
[ "$answer" = '10.0.0.1-10.0.0.5, 10.1.0.0/16, 10.2.0.0-10.2.0.9: [""] ["10.1.0.0/16"] [""]
10.0.0.1 . 80-90, 10.0.0.2 . 53: ["10.0.0.1" ""] ["10.0.0.2" "53"]
80-90 : drop, 443 : accept: [""] ["443"]
deletion of the first one: syntax error, unexpected '"'}'"'' ] || { echo "CHANGED"; exit 1; }
echo "as described"
