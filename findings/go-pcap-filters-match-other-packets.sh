#!/usr/bin/env bash
# packetcap/go-pcap of 2024-05-28 (newest): the same filter matches other packets than with libpcap, whose syntax it says to take.
#
# It has a compiler of its own. "tcp and not port 80" takes everything but port 80, as if "tcp" were not there, and a range of ports or
# "icmp" takes all packets. A group before "and" takes none. "ip" and "arp" alone, or behind "not", become programs that jump past their
# end, which the kernel refuses. So a capture has too many packets or none, and only the last of these is an error.
#
# libpcap 1.10.3 and tcpdump 4.99.3 (Debian 12) are the other side. Output seen, 2026-11-28 (the packets that match):
#   tcp: libpcap TCP-80 TCP-443, go-pcap TCP-80 TCP-443
#   tcp and not port 80: libpcap TCP-443, go-pcap TCP-443 UDP-53 UDP-68 ICMP ARP
#   host 10.0.0.1 and not port 53: libpcap TCP-80 TCP-443 ICMP ARP, go-pcap TCP-80 TCP-443 UDP-68 ICMP ARP
#   (port 80 or port 53) and host 10.0.0.1: libpcap TCP-80 UDP-53, go-pcap none
#   tcp portrange 80-90: libpcap TCP-80, go-pcap TCP-80 TCP-443 UDP-53 UDP-68 ICMP ARP
#   icmp: libpcap ICMP, go-pcap TCP-80 TCP-443 UDP-53 UDP-68 ICMP ARP
#   not arp: libpcap TCP-80 TCP-443 UDP-53 UDP-68 ICMP, go-pcap is refused: jumping past program bounds
set -euo pipefail
work=$(mktemp -d)
export GOPATH=$work/go GOCACHE=$work/cache GOFLAGS=-modcacherw
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
apt-get download -qq tcpdump=4.99.3-1 libpcap0.8=1.10.3-1 libdbus-1-3
for deb in *.deb; do dpkg -x "$deb" root; done
cat >main.go <<'GO'
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/packetcap/go-pcap/filter"
	"golang.org/x/net/bpf"
)

// Each packet has the time of its place in the list, by which tcpdump shows it.
var names = []string{"TCP-80", "TCP-443", "UDP-53", "UDP-68", "ICMP", "ARP"}

func ip(protocol byte, source string, payload ...byte) []byte {
	header := []byte{0x45, 0, 0, byte(20 + len(payload)), 0, 0, 0, 0, 64, protocol, 0, 0}
	packet := append([]byte("\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00"), header...)
	return append(append(append(packet, source...), 10, 0, 0, 2), payload...)
}

func ports(destination uint16, size int) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0x10, 0}, destination), make([]byte, size-4)...)
}

func main() {
	one, other := "\x0a\x00\x00\x01", "\x0a\x00\x00\x09"
	packets := [][]byte{
		ip(6, one, ports(80, 20)...), ip(6, one, ports(443, 20)...), ip(17, one, ports(53, 8)...), ip(17, other, ports(68, 8)...),
		ip(1, one, 8, 0, 0, 0, 0, 0, 0, 0),
		[]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01" +
			"\x02\x00\x00\x00\x00\x01" + one + "\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x02"),
	}
	file := binary.LittleEndian.AppendUint64([]byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00"), 0)
	file = append(file, 0, 0, 1, 0, 1, 0, 0, 0)
	for at, packet := range packets {
		for _, field := range []int{at, 0, len(packet), len(packet)} {
			file = binary.LittleEndian.AppendUint32(file, uint32(field))
		}
		file = append(file, packet...)
	}
	if err := os.WriteFile("lab.pcap", file, 0o644); err != nil {
		panic(err)
	}
	for _, expression := range os.Args[1:] {
		fmt.Printf("%s: libpcap %s, go-pcap %s\n", expression, byLibpcap(expression), byGoPcap(expression, packets))
	}
}

func byLibpcap(expression string) string {
	output, err := exec.Command("tcpdump", "-n", "-tt", "-r", "lab.pcap", expression).Output()
	if err != nil {
		panic(err)
	}
	var matching []string
	for _, line := range strings.Split(strings.TrimSpace(string(output)), "\n") {
		if line != "" {
			matching = append(matching, names[line[0]-'0'])
		}
	}
	return show(matching)
}

func byGoPcap(expression string, packets [][]byte) string {
	instructions, err := filter.NewExpression(expression).Compile().Compile()
	if err != nil {
		return err.Error()
	}
	machine, err := bpf.NewVM(instructions)
	if err != nil {
		return "is refused: " + strings.SplitN(err.Error(), "; ", 2)[1]
	}
	var matching []string
	for at, packet := range packets {
		if length, err := machine.Run(packet); err == nil && length > 0 {
			matching = append(matching, names[at])
		}
	}
	return show(matching)
}

func show(matching []string) string {
	if matching == nil {
		return "none"
	}
	return strings.Join(matching, " ")
}
GO
go mod init lab 2>/dev/null
go get github.com/packetcap/go-pcap@v0.0.0-20240528124601-8c87ecf5dbc5 golang.org/x/net@v0.62.0 2>/dev/null
go build -o filters .
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
export PATH=$work/root/usr/bin:$PATH LD_LIBRARY_PATH=$libraries
answer=$(./filters tcp 'tcp and not port 80' 'host 10.0.0.1 and not port 53' '(port 80 or port 53) and host 10.0.0.1' \
  'tcp portrange 80-90' icmp 'not arp' 2>error) || { cat error; exit 1; }
echo "$answer"
[ "$answer" = "tcp: libpcap TCP-80 TCP-443, go-pcap TCP-80 TCP-443
tcp and not port 80: libpcap TCP-443, go-pcap TCP-443 UDP-53 UDP-68 ICMP ARP
host 10.0.0.1 and not port 53: libpcap TCP-80 TCP-443 ICMP ARP, go-pcap TCP-80 TCP-443 UDP-68 ICMP ARP
(port 80 or port 53) and host 10.0.0.1: libpcap TCP-80 UDP-53, go-pcap none
tcp portrange 80-90: libpcap TCP-80, go-pcap TCP-80 TCP-443 UDP-53 UDP-68 ICMP ARP
icmp: libpcap ICMP, go-pcap TCP-80 TCP-443 UDP-53 UDP-68 ICMP ARP
not arp: libpcap TCP-80 TCP-443 UDP-53 UDP-68 ICMP, go-pcap is refused: jumping past program bounds" ] || { echo "CHANGED"; exit 1; }
echo "as described"
