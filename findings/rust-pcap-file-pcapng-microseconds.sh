#!/usr/bin/env bash
# The crate pcap-file 2.0.0 takes every timestamp of a pcapng file for nanoseconds. The format has microseconds where an interface
# says nothing else (if_tsresol), and most programs write it so: the packets of 2026 are read as packets of January 1970.
#
# It writes nanoseconds in the same way, beside an interface without if_tsresol, so that others read a time 1000 times as far
# from 1970. The field is a Duration; if_tsresol is parsed, and used nowhere. A round trip by the crate alone shows nothing.
#
# dpkt 1.9.8 is the other side. Output seen, 2026-11-28:
#   written by dpkt at 1795867200: pcap-file has 1795867.2
#   written by pcap-file at 1795867200: dpkt has 1795867200000
#   written by pcap-file with if_tsresol 9: dpkt has 1795867200
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dpkt==1.9.8
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "ticks"
version = "0.0.0"
edition = "2021"

[dependencies]
pcap-file = "=2.0.0"
TOML
cat >src/main.rs <<'RUST'
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::pcapng::{Block, PcapNgReader, PcapNgWriter};
use pcap_file::DataLink;
use std::fs::File;
use std::time::Duration;

fn write(name: &str, options: Vec<InterfaceDescriptionOption<'static>>) {
    let mut writer = PcapNgWriter::new(File::create(name).unwrap()).unwrap();
    let interface = InterfaceDescriptionBlock { linktype: DataLink::ETHERNET, snaplen: 0, options };
    writer.write_pcapng_block(interface).unwrap();
    let data = vec![0; 60];
    let timestamp = Duration::from_millis(1_795_867_200_000);
    let packet = EnhancedPacketBlock { interface_id: 0, timestamp, original_len: 60, data: data.into(), options: vec![] };
    writer.write_pcapng_block(packet).unwrap();
}

fn main() {
    let mut reader = PcapNgReader::new(File::open("dpkt.pcapng").unwrap()).unwrap();
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(packet) = block.unwrap() {
            println!("{}", packet.timestamp.as_secs_f64());
        }
    }
    write("plain.pcapng", vec![]);
    write("nanoseconds.pcapng", vec![InterfaceDescriptionOption::IfTsResol(9)]);
}
RUST
venv/bin/python -c '
import dpkt
with open("dpkt.pcapng", "wb") as file:
    dpkt.pcapng.Writer(file).writepkt(bytes(60), ts=1795867200)'
read_by_dpkt() {
  venv/bin/python -c '
import dpkt, sys
[(time, packet)] = dpkt.pcapng.Reader(open(sys.argv[1], "rb"))
print(round(time))' "$1"
}
[ "$(read_by_dpkt dpkt.pcapng)" = 1795867200 ] || { echo "CHANGED: dpkt"; exit 1; }
seen=$(cargo run --quiet)
plain=$(read_by_dpkt plain.pcapng)
nanoseconds=$(read_by_dpkt nanoseconds.pcapng)
echo "written by dpkt at 1795867200: pcap-file has $seen"
echo "written by pcap-file at 1795867200: dpkt has $plain"
echo "written by pcap-file with if_tsresol 9: dpkt has $nanoseconds"
[ "$seen" = 1795867.2 ] || { echo "CHANGED: reading"; exit 1; }
[ "$plain" = 1795867200000 ] || { echo "CHANGED: writing"; exit 1; }
[ "$nanoseconds" = 1795867200 ] || { echo "CHANGED: if_tsresol 9"; exit 1; }
echo "as described"
