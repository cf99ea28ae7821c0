package main

import (
	"encoding/json"

	"github.com/vishvananda/netlink"

	"nsset/bench/peers/go/protocol"
)

// The number of the table `main`: RT_TABLE_MAIN of linux/rtnetlink.h.
const mainTable = 254

// The routes of the main table, of both families, in the network in which the program was started.
func listRoutes(_ json.RawMessage, times int) (float64, error) {
	handle, err := netlink.NewHandle()
	if err != nil {
		return 0, err
	}
	defer handle.Close()
	filter := &netlink.Route{Table: mainTable}
	return protocol.Median(times, func() error {
		_, err := handle.RouteListFiltered(netlink.FAMILY_ALL, filter, netlink.RT_FILTER_TABLE)
		return err
	})
}
