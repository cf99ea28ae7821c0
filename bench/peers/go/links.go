package main

import (
	"encoding/json"

	"github.com/vishvananda/netlink"

	"nsset/bench/peers/go/protocol"
)

// The links of the network in which the program was started.
func listLinks(_ json.RawMessage, times int) (float64, error) {
	// One handle and its socket for all, as in `set.network`: without one the library opens a socket each time.
	handle, err := netlink.NewHandle()
	if err != nil {
		return 0, err
	}
	defer handle.Close()
	return protocol.Median(times, func() error {
		_, err := handle.LinkList()
		return err
	})
}
