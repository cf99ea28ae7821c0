package main

import (
	"encoding/json"
	"net"

	"nsset/bench/peers/go/protocol"
)

// Datagrams of a size to an address, one after another, as fast as the kernel takes them: the duration of all.
func sendDatagrams(options json.RawMessage, times int) (float64, error) {
	var request struct {
		To          string
		Count, Size int
	}
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	socket, err := net.Dial("udp", request.To)
	if err != nil {
		return 0, err
	}
	defer socket.Close()
	datagram := make([]byte, request.Size)
	return protocol.Mean(times, func() error {
		for sent := 0; sent < request.Count; sent++ {
			if _, err := socket.Write(datagram); err != nil {
				return err
			}
		}
		return nil
	})
}
