#!/usr/bin/env bash
# dpkt 1.9.8 and scapy 2.8.0 read a valid pcapng file with other times and fewer packets than libpcap.
#
# The file has three interfaces, as a merge of captures has: one with microseconds, one with nanoseconds (if_tsresol 9), and one
# whose times lack 1000 seconds (if_tsoffset). Each has a packet of the same moment, and there is a packet without a time (a
# Simple Packet Block). dpkt takes the resolution and the offset of the first interface for all, and leaves out the packet without a
# time. scapy and python-pcapng 2.1.1 leave the offset out, and scapy gives the packet without a time that of the reading: each
# time another one.
#
# Output seen, 2026-11-28 ("now" is a time within the last minute, "-" none):
#   dpkt: 1795867200 1795867200000 1795866200
#   scapy: 1795867200 1795867200 1795866200 now
#   python-pcapng: 1795867200 1795867200 1795866200 -
#   tcpdump: 1795867200 1795867200 1795867200 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dpkt==1.9.8 scapy==2.8.0 python-pcapng==2.1.1
apt-get download -qq tcpdump=4.99.3-1 libpcap0.8=1.10.3-1 libdbus-1-3
for deb in *.deb; do dpkg -x "$deb" root; done
cat >read.py <<'PYTHON'
import struct
import time

import dpkt
import pcapng
from scapy.utils import rdpcap

moment = 1795867200


def block(kind, body):
    return struct.pack('<II', kind, len(body) + 12) + body + struct.pack('<I', len(body) + 12)


def interface(option, length, value):
    return block(1, struct.pack('<HHI', 1, 0, 0) + struct.pack('<HH', option, length) + value + bytes(4))


def packet(which, ticks):
    return block(6, struct.pack('<IIIII', which, ticks >> 32, ticks & 0xFFFFFFFF, 60, 60) + bytes(60))


with open('lab.pcapng', 'wb') as file:
    file.write(block(0x0A0D0D0A, struct.pack('<IHHq', 0x1A2B3C4D, 1, 0, -1)))
    file.write(interface(9, 1, b'\x06\0\0\0') + interface(9, 1, b'\x09\0\0\0') + interface(14, 8, struct.pack('<q', 1000)))
    file.write(packet(0, moment * 10**6) + packet(1, moment * 10**9) + packet(2, (moment - 1000) * 10**6))
    file.write(block(3, struct.pack('<I', 60) + bytes(60)))


def show(name, times):
    words = ['-' if time is None else 'now' if abs(now - time) < 60 else str(round(time)) for time in times]
    print(f"{name}: {' '.join(words)}")


now = time.time()
show('dpkt', [seconds for seconds, _ in dpkt.pcapng.Reader(open('lab.pcapng', 'rb'))])
show('scapy', [float(packet.time) for packet in rdpcap('lab.pcapng')])
packets = [block for block in pcapng.FileScanner(open('lab.pcapng', 'rb')) if 'Packet' in type(block).__name__]
show('python-pcapng', [getattr(block, 'timestamp', None) for block in packets])
PYTHON
answer=$(venv/bin/python read.py)
times=$(LD_LIBRARY_PATH=$work/root/usr/lib/$(uname -m)-linux-gnu root/usr/bin/tcpdump -tt -n -r lab.pcapng 2>/dev/null | cut -d . -f 1)
answer+=$'\n'"tcpdump: $(tr '\n' ' ' <<<"$times" | sed 's/ $//')"
echo "$answer"
[ "$answer" = "dpkt: 1795867200 1795867200000 1795866200
scapy: 1795867200 1795867200 1795866200 now
python-pcapng: 1795867200 1795867200 1795866200 -
tcpdump: 1795867200 1795867200 1795867200 0" ] || { echo "CHANGED"; exit 1; }
echo "as described"
