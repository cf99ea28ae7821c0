#!/usr/bin/env bash
# The crate netlink-packet-route 0.34.0: the options of a packet scheduler that it has no type for are written inside another
# attribute of options, so that what it read is not what it writes.
#
# The kernel takes the header of the inner attribute for the limit of a pfifo: 7 packets become 131080 (0x20008: a length of 8 and the
# type 2), without an error. For tbf and others with several options it finds none, and refuses. Links, addresses, routes, rules and
# neighbours that the crate reads are written again with the same bytes.
#
# Output seen, 2026-11-28 (the scheduler of lab0 is read and added to lab1; iproute2 of Debian 12 shows them):
#   qdisc pfifo root refcnt 5 limit 7p -> qdisc pfifo root refcnt 5 limit 131080p
#   qdisc bfifo root refcnt 5 limit 3000b -> qdisc bfifo root refcnt 5 limit 128Kb
#   qdisc tbf root refcnt 5 rate 8Mbit burst 10Kb lat 50ms -> Invalid argument
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "copy"
version = "0.0.0"
edition = "2021"

[dependencies]
netlink-packet-core = "=0.9.0"
netlink-packet-route = "=0.34.0"
netlink-sys = "=0.9.0"
TOML
cat >src/main.rs <<'RUST'
use netlink_packet_core::{NetlinkMessage, NetlinkPayload, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_REPLACE, NLM_F_REQUEST};
use netlink_packet_route::tc::TcMessage;
use netlink_packet_route::RouteNetlinkMessage::{self, GetQueueDiscipline, NewQueueDiscipline};
use netlink_sys::{protocols::NETLINK_ROUTE, Socket, SocketAddr};

fn ask(message: RouteNetlinkMessage, flags: u16) -> Vec<NetlinkMessage<RouteNetlinkMessage>> {
    let mut request = NetlinkMessage::from(message);
    request.header.flags = NLM_F_REQUEST | flags;
    request.finalize();
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    let socket = Socket::new(NETLINK_ROUTE).unwrap();
    socket.send_to(&bytes, &SocketAddr::new(0, 0), 0).unwrap();
    let (bytes, _) = socket.recv_from_full().unwrap();
    let (mut answers, mut rest) = (Vec::new(), bytes.as_slice());
    while !rest.is_empty() {
        let answer = NetlinkMessage::deserialize(rest).unwrap();
        rest = &rest[answer.header.length as usize..];
        answers.push(answer);
    }
    answers
}

fn main() {
    let links: Vec<i32> = std::env::args().skip(1).map(|index| index.parse().unwrap()).collect();
    for answer in ask(GetQueueDiscipline(TcMessage::default()), NLM_F_DUMP) {
        match answer.payload {
            NetlinkPayload::InnerMessage(NewQueueDiscipline(mut read)) if read.header.index == links[0] => {
                read.header.index = links[1];
                let done = ask(NewQueueDiscipline(read), NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK);
                if let NetlinkPayload::Error(error) = &done[0].payload {
                    if error.code.is_some() {
                        println!("{}", error.to_io().to_string().split(" (").next().unwrap());
                    }
                }
            }
            _ => {}
        }
    }
}
RUST
cargo build --quiet
cat >inside <<'INSIDE'
set -euo pipefail
for name in lab0 lab1; do
  ip link add $name numtxqueues 4 type veth peer name other-$name
  ip link set $name up
done
index() { ip -o link show "$1" | cut -d: -f1; }
shown() { tc qdisc show dev "$1" root | sed 's/ [0-9a-f]*: root/ root/; s/ *$//'; }
for scheduler in 'pfifo limit 7' 'bfifo limit 3000' 'tbf rate 8mbit burst 10k latency 50ms'; do
  tc qdisc add dev lab0 root handle 1: $scheduler
  error=$(target/debug/copy "$(index lab0)" "$(index lab1)")
  echo "$(shown lab0) -> ${error:-$(shown lab1)}"
  tc qdisc delete dev lab0 root
  [ "$error" ] || tc qdisc delete dev lab1 root
done
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net bash inside)
echo "$answer"
[ "$answer" = "qdisc pfifo root refcnt 5 limit 7p -> qdisc pfifo root refcnt 5 limit 131080p
qdisc bfifo root refcnt 5 limit 3000b -> qdisc bfifo root refcnt 5 limit 128Kb
qdisc tbf root refcnt 5 rate 8Mbit burst 10Kb lat 50ms -> Invalid argument" ] || { echo "CHANGED"; exit 1; }
echo "as described"
