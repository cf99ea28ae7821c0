#!/usr/bin/env bash
# A packet socket reports an error when its link goes down. If the link is deleted after that, poll(2) and recv(2) report nothing: a
# program that continued after ENETDOWN, because a link may come up again, waits without end. Only getsockname(2) shows the
# difference: the address has no link then. packet(7) does not mention it.
#
# Linux 6.18, with Python 3.11 for the calls. Output seen, 2026-11-28:
#   up: events [], errors [], link left
#   down: events ['POLLERR'], errors ['ENETDOWN'], link left
#   deleted: events [], errors [], link none
set -euo pipefail

uname -sr
answer=$(timeout 20 unshare --user --map-root-user --net python3 - <<'PYTHON'
import errno
import select
import socket
import subprocess


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def errors():
    seen = []
    while True:
        try:
            packets.recv(2048)
        except BlockingIOError:
            return seen
        except OSError as error:
            seen.append(errno.errorcode[error.errno])


def report(when):
    poll = select.poll()
    poll.register(packets, select.POLLIN)
    events = ["POLLERR" if event & select.POLLERR else hex(event) for _, event in poll.poll(200)]
    print(f"{when}: events {events}, errors {errors()}, link {packets.getsockname()[0] or 'none'}")


ip("link", "add", "left", "type", "veth", "peer", "name", "right")
ip("link", "set", "left", "up")
packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
packets.bind(("left", 0))
packets.setblocking(False)
errors()
report("up")
ip("link", "set", "left", "down")
report("down")
ip("link", "del", "left")
report("deleted")
PYTHON
)
echo "$answer"
[ "$answer" = "up: events [], errors [], link left
down: events ['POLLERR'], errors ['ENETDOWN'], link left
deleted: events [], errors [], link none" ] || { echo "CHANGED"; exit 1; }
echo "as described"
