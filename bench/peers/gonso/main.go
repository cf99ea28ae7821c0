// A peer of the benchmarks: github.com/cpuguy83/gonso, in a program that times itself. A separate module, since a
// proxy without gonso may have the others.
package main

import (
	"encoding/json"
	"os"

	"github.com/cpuguy83/gonso"

	"nsset/bench/peers/go/protocol"
)

func main() {
	protocol.Serve(map[string]protocol.Operation{
		"Set.DoRaw": do,
		"Current":   current,
		"Set.Dup":   dup,
		"Unshare":   unshare,
	})
}

type request struct {
	// The kinds, as CLONE_NEW… flags.
	Flags int
	// The process whose namespaces are entered.
	Pid int
}

func parse(options json.RawMessage) (request, error) {
	var parsed request
	return parsed, json.Unmarshal(options, &parsed)
}

// An empty function inside, with the thread restored if gonso can and true requests it. Otherwise it ends the thread.
func do(options json.RawMessage, times int) (float64, error) {
	request, err := parse(options)
	if err != nil {
		return 0, err
	}
	set, err := gonso.FromPid(request.Pid, request.Flags)
	if err != nil {
		return 0, err
	}
	defer set.Close()
	return protocol.Mean(times, func() error {
		return set.DoRaw(func() bool { return true }, true)
	})
}

func current(options json.RawMessage, times int) (float64, error) {
	request, err := parse(options)
	if err != nil {
		return 0, err
	}
	return protocol.Mean(times, func() error { return closed(gonso.Current(request.Flags)) })
}

func dup(options json.RawMessage, times int) (float64, error) {
	request, err := parse(options)
	if err != nil {
		return 0, err
	}
	set, err := gonso.Current(request.Flags)
	if err != nil {
		return 0, err
	}
	defer set.Close()
	return protocol.Mean(times, func() error { return closed(set.Dup(0)) })
}

// A user namespace, if requested, maps the caller to root.
func unshare(options json.RawMessage, times int) (float64, error) {
	request, err := parse(options)
	if err != nil {
		return 0, err
	}
	var maps []gonso.UnshareOpt
	if request.Flags&gonso.NS_USER != 0 {
		uid := []gonso.IDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		gid := []gonso.IDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		maps = append(maps, gonso.WithIDMaps(uid, gid))
	}
	return protocol.Mean(times, func() error { return closed(gonso.Unshare(request.Flags, maps...)) })
}

func closed(set gonso.Set, err error) error {
	if err != nil {
		return err
	}
	return set.Close()
}
