// A peer of the benchmarks: github.com/thediveo/lxkns, in a program that times itself, or with the argument `list` prints
// what it finds. A separate module, for its many dependencies. Newer versions of lxkns need modules that some proxies do not have.
package main

import (
	"encoding/json"
	"errors"
	"log"
	"os"
	"slices"

	"github.com/thediveo/lxkns/discover"

	"nsset/bench/peers/go/protocol"
)

func main() {
	if slices.Contains(os.Args[1:], "list") {
		if err := list(); err != nil {
			log.Fatal(err)
		}
		return
	}
	protocol.Serve(map[string]protocol.Operation{"Namespaces": namespaces})
}

// What nsset looks at, too: processes, threads, descriptors, mounts, owners and parents.
func namespaces(options json.RawMessage, times int) (float64, error) {
	var request struct{ Least int }
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	return protocol.Median(times, func() error {
		result := discover.Namespaces(discover.WithStandardDiscovery(), discover.FromTasks())
		found := 0
		for _, namespaces := range result.Namespaces {
			found += len(namespaces)
		}
		if found < request.Least {
			return errors.New("it found fewer namespaces than there are")
		}
		return nil
	})
}
