module nsset/bench/peers/neslink

go 1.23

require (
	github.com/neaas/neslink v0.5.1
	nsset/bench/peers/go v0.0.0
)

require (
	github.com/neaas/nescript v0.1.0 // indirect
	github.com/vishvananda/netlink v1.3.1 // indirect
	github.com/vishvananda/netns v0.0.5 // indirect
	golang.org/x/sys v0.20.0 // indirect
)

replace nsset/bench/peers/go => ../go
