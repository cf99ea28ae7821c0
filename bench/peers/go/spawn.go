package main

import (
	"encoding/json"
	"errors"
	"os/exec"

	"github.com/vishvananda/netns"

	"nsset/bench/peers/go/protocol"
)

// A program in the network at a path, until it has exited; this many at the same time, and the duration of one. A child
// starts in the network of its thread, so each goroutine has its own thread, and restores it.
func spawn(options json.RawMessage, times int) (float64, error) {
	var request struct {
		Path, Program string
		AtOnce        int
	}
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	there, err := netns.GetFromPath(request.Path)
	if err != nil {
		return 0, err
	}
	defer there.Close()
	took, err := protocol.Mean(1, func() error {
		return atOnce(request.AtOnce, times, func() error { return runIn(there, request.Program) })
	})
	return took / float64(times), err
}

// This many calls in all.
func atOnce(workers, times int, call func() error) error {
	left := make(chan struct{}, times)
	for range times {
		left <- struct{}{}
	}
	close(left)
	failures := make(chan error, workers)
	for range workers {
		go func() { failures <- untilEmpty(left, call) }()
	}
	var failure error
	for range workers {
		failure = errors.Join(failure, <-failures)
	}
	return failure
}

func untilEmpty(left <-chan struct{}, call func() error) error {
	for range left {
		if err := call(); err != nil {
			return err
		}
	}
	return nil
}

func runIn(there netns.NsHandle, program string) error {
	_, err := withHome(func(home netns.NsHandle) (float64, error) {
		if err := netns.Set(there); err != nil {
			return 0, err
		}
		command := exec.Command(program)
		if err := command.Start(); err != nil {
			return 0, err
		}
		if err := netns.Set(home); err != nil {
			return 0, err
		}
		return 0, command.Wait()
	})
	return err
}
