#!/usr/bin/env bash
# splice(2) from a TCP socket returns 0, as at the end of the stream, where the next byte is urgent data (MSG_OOB), although more
# bytes have arrived behind it and the peer has not closed. recv(2) skips the urgent byte and returns them.
#
# A proxy that moves bytes by splice(2) takes this for the end of one direction: it loses what follows, and ends that direction
# towards the other side. splice(2) and tcp(7) do not mention it. telnet, rlogin and FTP send urgent bytes.
#
# Linux 6.18, with Python 3.11 for the calls. Output seen, 2026-11-28:
#   splice: b'before', then 0 bytes
#   recv: b'after'
set -euo pipefail

uname -sr
answer=$(timeout 20 python3 - <<'PYTHON'
import os
import socket
import time

with socket.create_server(("127.0.0.1", 0)) as listener:
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
source, sink = os.pipe()
client.sendall(b"before")
client.send(b"!", socket.MSG_OOB)
client.sendall(b"after")
time.sleep(0.2)

first = os.read(source, os.splice(server.fileno(), sink, 4096))
second = os.splice(server.fileno(), sink, 4096)
print(f"splice: {first}, then {second} bytes")
print(f"recv: {server.recv(4096)}")
PYTHON
)
echo "$answer"
[ "$answer" = $'splice: b\'before\', then 0 bytes\nrecv: b\'after\'' ] || { echo "CHANGED"; exit 1; }
echo "as described"
