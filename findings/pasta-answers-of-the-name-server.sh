#!/usr/bin/env bash
# pasta (passt 0.0~git20230309 of Debian 12) with --dns-forward makes the name server of the host unusable by its own address: its answers
# come from the address that the option names, and a program whose socket is connected, as that of most resolvers is, does not get them.
#
# Podman 5 passes the option for each container. dig @ADDRESS and a resolv.conf with the name server of the host then time out. The version of
# Debian sid (20261002) answers from the address that was asked.
#
# Output seen, 2026-11-28 (198.51.100.53 is that of the option, 192.0.2.53 that of the host's name server):
#   20230309: 192.0.2.53 asked, 198.51.100.53 answers; 198.51.100.53 asked, 198.51.100.53 answers
#   20261002: 192.0.2.53 asked, 192.0.2.53 answers; 198.51.100.53 asked, 198.51.100.53 answers
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1)
download() { # suite, packages: unpacks them below it
  mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
  echo "deb $site $1 main" >"$1/sources.list"
  local options=(-o "Dir::Etc::sourcelist=$work/$1/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/$1/lists"
    -o "Dir::Cache=$work/$1/cache")
  apt-get "${options[@]}" update -qq
  (cd "$1" && apt-get "${options[@]}" download -qq "${@:2}" && for deb in *.deb; do dpkg -x "$deb" root; done)
}
download bookworm passt=0.0~git20230309.7c7625d-1 libc6
download sid passt=0.0~git20261002.cba3570-1 libc6 libcap2 libseccomp2 libatomic1
program() { # suite
  local libraries="$work/$1/root/usr/lib/x86_64-linux-gnu"
  [ -e "$libraries/libc.so.6" ] || libraries="$work/$1/root/lib/x86_64-linux-gnu"
  echo "$libraries/ld-linux-x86-64.so.2 --library-path $libraries --argv0 pasta $work/$1/root/usr/bin/passt"
}
echo 'nameserver 192.0.2.53' >resolv.conf
cat >server.py <<'SERVER'
import socket

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(('192.0.2.53', 53))
    print('ready', flush=True)
    while True:
        server.sendto(*server.recvfrom(100))
SERVER
cat >client.py <<'CLIENT'
import socket


def ask(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b'x' * 20, (address, 53))
        return f'{address} asked, {client.recvfrom(100)[1][0]} answers'


print('; '.join(map(ask, ['192.0.2.53', '198.51.100.53'])))
CLIENT
cat >inside <<'INSIDE'
set -euo pipefail
mount --bind resolv.conf /etc/resolv.conf
ip link set lo up
ip link add lab0 type veth peer name lab1
ip link set lab0 up
ip link set lab1 up
ip address add 192.0.2.53/24 dev lab0
ip route add default via 192.0.2.1
python3 server.py >ready &
until grep -qs ready ready; do sleep 0.1; done
through() { # name, command of pasta
  echo "$1: $($2 --config-net --address 192.0.2.50 --gateway 192.0.2.1 --dns-forward 198.51.100.53 -- python3 client.py 2>>log)"
}
through 20230309 "$OLD"
through 20261002 "$NEW"
INSIDE
OLD=$(program bookworm) NEW=$(program sid)
export OLD NEW
answer=$(timeout 60 unshare --user --map-root-user --net --mount --pid --fork --kill-child --mount-proc bash inside)
echo "$answer"
[ "$answer" = "20230309: 192.0.2.53 asked, 198.51.100.53 answers; 198.51.100.53 asked, 198.51.100.53 answers
20261002: 192.0.2.53 asked, 192.0.2.53 answers; 198.51.100.53 asked, 198.51.100.53 answers" ] || { cat log; echo "CHANGED"; exit 1; }
echo "as described"
