package main

import (
	"encoding/json"
	"fmt"

	"github.com/vishvananda/netns"

	"nsset/bench/peers/go/protocol"
)

// This many named networks, all created and then all removed. The library supports /run/netns only.
func newNamed(options json.RawMessage, times int) (float64, error) {
	var request struct {
		Prefix string
		InARow int
	}
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	return withHome(func(home netns.NsHandle) (float64, error) {
		return protocol.Mean(times, func() error { return inARow(home, request.Prefix, request.InARow) })
	})
}

func inARow(home netns.NsHandle, prefix string, count int) error {
	name := func(index int) string { return fmt.Sprintf("%s-%d", prefix, index) }
	for index := range count {
		made, err := netns.NewNamed(name(index))
		if err != nil {
			return err
		}
		if err := back(home, made); err != nil {
			return err
		}
	}
	for index := range count {
		if err := netns.DeleteNamed(name(index)); err != nil {
			return err
		}
	}
	return nil
}
