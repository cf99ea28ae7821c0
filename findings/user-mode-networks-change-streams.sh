#!/usr/bin/env bash
# slirp4netns 1.3.3 and pasta (passt 0.0~git20261002, both of Debian sid), the networks of rootless containers, give the other side
# something else than was sent, without an error on either side.
#
# slirp4netns turns a reset into the end of the stream: a peer that was cut off looks as if it had sent everything. pasta puts an urgent byte
# (MSG_OOB, as of telnet and FTP) between the others, where it was not. pasta loses a datagram that is larger than its link of 65520
# bytes, as it takes no fragments: the sender has no EMSGSIZE. Both leave out the DSCP, by which routers and Wi-Fi give priority.
#
# Output seen, 2026-11-28 (what the server gets through each; "direct" is a namespace without either):
#   direct: reset ConnectionResetError, urgent 'abcd', datagram of 65507 arrives, DSCP ef
#   slirp4netns: reset end of stream, urgent 'abcd', datagram of 65507 arrives, DSCP 0
#   pasta: reset ConnectionResetError, urgent 'ab!cd', datagram of 65507 lost, DSCP 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
mkdir -p lists/partial cache/archives/partial
site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1)
echo "deb $site sid main" >sources.list
options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache")
apt-get "${options[@]}" update -qq
apt-get "${options[@]}" download -qq passt=0.0~git20261002.cba3570-1 slirp4netns=1.3.3-1 libslirp0 libc6 libglib2.0-0t64 libseccomp2 \
  libcap2 libpcre2-8-0 libatomic1
for deb in *.deb; do dpkg -x "$deb" root; done
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
loader="$libraries/ld-linux-x86-64.so.2 --library-path $libraries"
export PASTA="$loader --argv0 pasta $work/root/usr/bin/passt" SLIRP="$loader $work/root/usr/bin/slirp4netns"
cat >server.py <<'SERVER'
import socket

ADDRESS = '192.0.2.10'
IP_RECVTOS = 13
streams = socket.create_server((ADDRESS, 7001))
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
datagrams.bind((ADDRESS, 7001))
print('ready', flush=True)


def stream():
    connection, _ = streams.accept()
    data = b''
    try:
        while part := connection.recv(100):
            data += part
    except ConnectionResetError as error:
        return data.decode(), type(error).__name__
    return data.decode(), 'end of stream'


def datagram():
    datagrams.settimeout(2)
    try:
        data, [(_, _, tos)], _, _ = datagrams.recvmsg(70000, 100)
    except TimeoutError:
        return 'lost', 0
    return 'arrives', tos[0] >> 2


reset = stream()[1]
urgent = stream()[0]
small = datagram()
large = datagram()
print(f"reset {reset}, urgent '{urgent}', datagram of 65507 {large[0]}, DSCP {'ef' if small[1] == 46 else small[1]}")
SERVER
cat >client.py <<'CLIENT'
import socket
import struct
import time

SERVER = ('192.0.2.10', 7001)
with socket.create_connection(SERVER) as stream:
    stream.send(b'x')
    time.sleep(0.2)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
with socket.create_connection(SERVER) as stream:
    for data, flags in (b'ab', 0), (b'!', socket.MSG_OOB), (b'cd', 0):
        stream.send(data, flags)
        time.sleep(0.2)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
    datagrams.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 46 << 2)
    datagrams.sendto(b'small', SERVER)
    time.sleep(0.2)
    datagrams.sendto(bytes(65507), SERVER)
    time.sleep(0.5)
CLIENT
cat >inside <<'INSIDE'
set -euo pipefail
ip link set lo up
ip link add lab0 type veth peer name lab1
ip link set lab0 up
ip link set lab1 up
ip address add 192.0.2.10/24 dev lab0
ip route add default via 192.0.2.1
through() { # name, command that runs the client
  python3 server.py >seen &
  local process=$!
  until grep -qs ready seen; do sleep 0.1; done
  "$2" >>log 2>&1
  wait $process
  echo "$1: $(tail -n 1 seen)"
}
direct() { python3 client.py; }
slirp() {
  unshare --net bash -c 'until [ -e ready ]; do sleep 0.1; done; python3 client.py' &
  local client=$!
  sleep 0.3
  $SLIRP --configure --mtu=65520 --ready-fd=7 $client tap0 7>ready.tmp &
  local slirp=$!
  until [ -s ready.tmp ]; do sleep 0.1; done
  touch ready
  wait $client
  kill $slirp
}
pasta() { $PASTA --config-net --address 192.0.2.50 --gateway 192.0.2.1 -- python3 client.py; }
through direct direct
through slirp4netns slirp
through pasta pasta
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net --pid --fork --kill-child --mount-proc bash inside)
echo "$answer"
[ "$answer" = "direct: reset ConnectionResetError, urgent 'abcd', datagram of 65507 arrives, DSCP ef
slirp4netns: reset end of stream, urgent 'abcd', datagram of 65507 arrives, DSCP 0
pasta: reset ConnectionResetError, urgent 'ab!cd', datagram of 65507 lost, DSCP 0" ] || { cat log; echo "CHANGED"; exit 1; }
echo "as described"
