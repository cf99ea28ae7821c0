// A peer of the benchmarks: github.com/neaas/neslink, the current path of github.com/willfantom/neslink, in a program
// that times itself. A separate module, since a proxy without neslink may have the others.
package main

import (
	"encoding/json"
	"fmt"

	"github.com/neaas/neslink"

	"nsset/bench/peers/go/protocol"
)

func main() {
	protocol.Serve(map[string]protocol.Operation{
		"Do":        do,
		"NANewNsAt": newNamed,
	})
}

// An empty function, in the network at a path.
func do(options json.RawMessage, times int) (float64, error) {
	var request struct{ Path string }
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	there := neslink.NPPath(request.Path)
	nothing := neslink.NAGeneric("nothing", func() error { return nil })
	return protocol.Mean(times, func() error { return neslink.Do(there, nothing) })
}

// This many named networks, all created and then all removed.
func newNamed(options json.RawMessage, times int) (float64, error) {
	var request struct {
		Directory string
		Prefix    string
		InARow    int
	}
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	return protocol.Mean(times, func() error { return inARow(request.Directory, request.Prefix, request.InARow) })
}

func inARow(directory, prefix string, count int) error {
	name := func(index int) string { return fmt.Sprintf("%s-%d", prefix, index) }
	for index := range count {
		if err := neslink.Do(neslink.NPNow(), neslink.NANewNsAt(directory, name(index))); err != nil {
			return err
		}
	}
	for index := range count {
		if err := neslink.Do(neslink.NPNow(), neslink.NADeleteNamedAt(directory, name(index))); err != nil {
			return err
		}
	}
	return nil
}
