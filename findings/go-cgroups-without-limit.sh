#!/usr/bin/env bash
# containerd/cgroups 3.1.3 (cgroup2.ToResources) turns "no limit" of an OCI configuration, which is -1, into numbers that the kernel refuses.
#
# Version 2 of control groups has the word "max" for it. From a swap of -1 the library also takes the memory limit away, as from a true
# number, since the configuration has the sum of both: what is left is below -1. The kernel takes no negative number for either file
# (page_counter_memparse(), cpu_period_quota_parse(): EINVAL), so that a container of `--memory 512m --memory-swap -1` or `--cpu-quota -1`
# does not start. opencontainers/cgroups 0.1.0, of runc, keeps -1 apart, and writes "max" for it.
#
# Output seen, 2026-11-28 (what is made of the configuration, to be written as it is):
#   memory.max of 512 MiB: containerd/cgroups 536870912
#   memory.swap.max of -1: containerd/cgroups -536870913, opencontainers/cgroups -1
#   cpu.max of -1: containerd/cgroups -1 100000
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/containerd/cgroups/v3/cgroup2"
	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func main() {
	limit, none, period := int64(512<<20), int64(-1), uint64(100000)
	resources := cgroup2.ToResources(&specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: &limit, Swap: &none},
		CPU:    &specs.LinuxCPU{Quota: &none, Period: &period},
	})
	other, err := cgroups.ConvertMemorySwapToCgroupV2Value(none, limit)
	if err != nil {
		panic(err)
	}
	fmt.Println("memory.max of 512 MiB: containerd/cgroups", *resources.Memory.Max)
	fmt.Printf("memory.swap.max of -1: containerd/cgroups %d, opencontainers/cgroups %d\n", *resources.Memory.Swap, other)
	fmt.Println("cpu.max of -1: containerd/cgroups", resources.CPU.Max)
}
GO
go mod init lab 2>/dev/null
go get github.com/containerd/cgroups/v3/cgroup2@v3.1.3 github.com/opencontainers/cgroups@v0.1.0 2>/dev/null
go build -o limits .
answer=$(./limits)
echo "$answer"
[ "$answer" = "memory.max of 512 MiB: containerd/cgroups 536870912
memory.swap.max of -1: containerd/cgroups -536870913, opencontainers/cgroups -1
cpu.max of -1: containerd/cgroups -1 100000" ] || { echo "CHANGED"; exit 1; }
echo "as described"
