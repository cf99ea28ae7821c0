package main

import (
	"encoding/json"

	"github.com/vishvananda/netlink"

	"nsset/bench/peers/go/protocol"
)

// The neighbours of a family, or with AF_BRIDGE the forwarding entries, in the network in which the program was started.
func listNeighbours(options json.RawMessage, times int) (float64, error) {
	var request struct{ Family int }
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	handle, err := netlink.NewHandle()
	if err != nil {
		return 0, err
	}
	defer handle.Close()
	return protocol.Median(times, func() error {
		_, err := handle.NeighList(0, request.Family)
		return err
	})
}
