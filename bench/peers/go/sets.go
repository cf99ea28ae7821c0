package main

import (
	"encoding/json"
	"runtime"

	"github.com/vishvananda/netns"

	"nsset/bench/peers/go/protocol"
)

// Into the network at a path, and back.
func setAndBack(options json.RawMessage, times int) (float64, error) {
	var request struct{ Path string }
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	return withHome(func(home netns.NsHandle) (float64, error) {
		there, err := netns.GetFromPath(request.Path)
		if err != nil {
			return 0, err
		}
		defer there.Close()
		return protocol.Mean(times, func() error {
			if err := netns.Set(there); err != nil {
				return err
			}
			return netns.Set(home)
		})
	})
}

func get(_ json.RawMessage, times int) (float64, error) {
	return protocol.Mean(times, func() error {
		handle, err := netns.Get()
		if err != nil {
			return err
		}
		return handle.Close()
	})
}

// New moves the thread: it is in its former network when the way back is included.
func newAndBack(_ json.RawMessage, times int) (float64, error) {
	return withHome(func(home netns.NsHandle) (float64, error) {
		return protocol.Mean(times, func() error {
			made, err := netns.New()
			if err != nil {
				return err
			}
			return back(home, made)
		})
	})
}

// On a separate thread, which is discarded if it could not be restored.
func withHome(call func(home netns.NsHandle) (float64, error)) (float64, error) {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		return 0, err
	}
	defer home.Close()
	took, err := call(home)
	if err == nil {
		runtime.UnlockOSThread()
	}
	return took, err
}

func back(home, made netns.NsHandle) error {
	if err := netns.Set(home); err != nil {
		return err
	}
	return made.Close()
}
