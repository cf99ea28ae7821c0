// A peer of the benchmarks: github.com/vishvananda/netns and github.com/vishvananda/netlink, in a program that times itself.
package main

import "nsset/bench/peers/go/protocol"

func main() {
	protocol.Serve(map[string]protocol.Operation{
		"netns.Set":       setAndBack,
		"netns.Get":       get,
		"netns.New":       newAndBack,
		"netns.NewNamed":  newNamed,
		"links.list":      listLinks,
		"routes.list":     listRoutes,
		"neighbours.list": listNeighbours,
		"datagrams.send":  sendDatagrams,
		"links.add":       addLinks,
		"links.up":        bringUp,
		"links.first":     useFirst,
		"spawn":           spawn,
	})
}
