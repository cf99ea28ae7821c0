module nsset/bench/peers/gonso

go 1.23

require (
	github.com/cpuguy83/gonso v0.2.4
	nsset/bench/peers/go v0.0.0
)

require golang.org/x/sys v0.10.0 // indirect

replace nsset/bench/peers/go => ../go
