// Lists the links of the network that it is started in with github.com/vishvananda/netlink, and times it.
//
// Each line on its standard input is a number of times; it answers each with a line, the median in microseconds.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/vishvananda/netlink"
)

func main() {
	// One handle and its socket for all, as `set.network` has it: without one the library opens a socket each time.
	handle, err := netlink.NewHandle()
	if err != nil {
		log.Fatal(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		times, err := strconv.Atoi(lines.Text())
		if err != nil || times < 1 {
			log.Fatalf("how often is %q?", lines.Text())
		}
		fmt.Println(median(handle, times))
	}
}

func median(handle *netlink.Handle, times int) float64 {
	took := make([]float64, times)
	for index := range took {
		start := time.Now()
		if _, err := handle.LinkList(); err != nil {
			log.Fatal(err)
		}
		took[index] = float64(time.Since(start).Nanoseconds()) / 1000
	}
	slices.Sort(took)
	return took[times/2]
}
