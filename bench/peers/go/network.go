package main

import (
	"encoding/json"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"nsset/bench/peers/go/protocol"
)

// Links one after another, in the network at a path: the duration of all of them, over an open socket.
func addLinks(options json.RawMessage, times int) (float64, error) {
	var request struct {
		Path        string
		Kind        string
		From, Count int
	}
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	if times != 1 {
		return 0, fmt.Errorf("links can be added once, not %d times", times)
	}
	return withHandleAt(request.Path, func(handle *netlink.Handle) (float64, error) {
		return protocol.Mean(1, func() error {
			for index := request.From; index < request.From+request.Count; index++ {
				if err := handle.LinkAdd(link(request.Kind, index)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// A veth, or a bridge that is up.
func link(kind string, index int) netlink.Link {
	attributes := netlink.NewLinkAttrs()
	if kind == "veth" {
		attributes.Name = fmt.Sprintf("a%d", index)
		return &netlink.Veth{LinkAttrs: attributes, PeerName: fmt.Sprintf("b%d", index)}
	}
	attributes.Name = fmt.Sprintf("br%d", index)
	attributes.Flags = net.FlagUp
	return &netlink.Bridge{LinkAttrs: attributes}
}

// By its name, as in the request: the library looks up its index.
func bringUp(options json.RawMessage, times int) (float64, error) {
	var request struct{ Path, Name string }
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	return withHandleAt(request.Path, func(handle *netlink.Handle) (float64, error) {
		return protocol.Median(times, func() error {
			attributes := netlink.NewLinkAttrs()
			attributes.Name = request.Name
			return handle.LinkSetUp(&netlink.Dummy{LinkAttrs: attributes})
		})
	})
}

// From the network's path to the state of its `lo`: a socket is opened there.
func useFirst(options json.RawMessage, times int) (float64, error) {
	var request struct{ Path string }
	if err := json.Unmarshal(options, &request); err != nil {
		return 0, err
	}
	return protocol.Median(times, func() error {
		_, err := withHandleAt(request.Path, func(handle *netlink.Handle) (float64, error) {
			_, err := handle.LinkByName("lo")
			return 0, err
		})
		return err
	})
}

func withHandleAt(path string, call func(handle *netlink.Handle) (float64, error)) (float64, error) {
	there, err := netns.GetFromPath(path)
	if err != nil {
		return 0, err
	}
	defer there.Close()
	handle, err := netlink.NewHandleAt(there)
	if err != nil {
		return 0, err
	}
	defer handle.Close()
	return call(handle)
}
