#!/usr/bin/env bash
# florianl/go-tc 0.4.5: Qdisc.Get fails for the schedulers of all links where one link has a kind that the library does not know, and
# Class.Get fails for all classes of a link where one of them belongs to a token bucket (tbf), which it does know.
#
# The class of a token bucket has no options of its own in the kernel's answer; the library reads some, and reports "EOF". The list
# that comes with either error ends there. pfifo_head_drop needs no module, and the kind of the scheduler of any link of the
# namespace counts, also of one that the program has nothing to do with.
#
# Output seen, 2026-11-28 (lab0 comes first; beside each list the number that tc has):
#   lab0 pfifo, lab1 pfifo: schedulers 2 of 2, <nil>
#   lab0 pfifo_head_drop, lab1 pfifo: schedulers 0 of 2, extractTCAOptions(): unsupported kind pfifo_head_drop: unknown kind
#   leaf of an htb class pfifo: classes 2 of 2, <nil>
#   leaf of an htb class tbf: classes 2 of 3, EOF
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
	"net"
	"os"

	"github.com/florianl/go-tc"
)

func main() {
	conn, err := tc.Open(&tc.Config{})
	if err != nil {
		panic(err)
	}
	link, err := net.InterfaceByName("lab0")
	if err != nil {
		panic(err)
	}
	list, err := conn.Qdisc().Get()
	if os.Args[1] == "classes" {
		list, err = conn.Class().Get(&tc.Msg{Ifindex: uint32(link.Index)})
	}
	count := 0
	for _, object := range list {
		if object.Kind != "noqueue" && object.Kind != "noop" {
			count++
		}
	}
	fmt.Println(count, err)
}
GO
go mod init lab 2>/dev/null
go get github.com/florianl/go-tc@v0.4.5 2>/dev/null
go build -o list .
cat >inside <<'INSIDE'
set -euo pipefail
ip link add lab0 type veth peer name other0
ip link add lab1 type veth peer name other1
compare() { # name, what, lines of tc
  read -r count error <<<"$(./list "$2")"
  echo "$1: $2 $count of $(wc -l <<<"$3"), $error"
}
tc qdisc add dev lab1 root pfifo limit 5
for kind in pfifo pfifo_head_drop; do
  tc qdisc replace dev lab0 root $kind limit 5
  compare "lab0 $kind, lab1 pfifo" schedulers "$(tc qdisc show | grep -v -e noqueue -e noop)"
done
for leaf in 'pfifo limit 5' 'tbf rate 1mbit burst 10k latency 50ms'; do
  tc qdisc delete dev lab0 root
  tc qdisc add dev lab0 root handle 1: htb
  tc class add dev lab0 parent 1: classid 1:10 htb rate 1mbit
  tc class add dev lab0 parent 1: classid 1:11 htb rate 1mbit
  tc qdisc add dev lab0 parent 1:10 $leaf
  compare "leaf of an htb class ${leaf%% *}" classes "$(tc class show dev lab0)"
done
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "lab0 pfifo, lab1 pfifo: schedulers 2 of 2, <nil>
lab0 pfifo_head_drop, lab1 pfifo: schedulers 0 of 2, extractTCAOptions(): unsupported kind pfifo_head_drop: unknown kind
leaf of an htb class pfifo: classes 2 of 2, <nil>
leaf of an htb class tbf: classes 2 of 3, EOF" ] || { echo "CHANGED"; exit 1; }
echo "as described"
