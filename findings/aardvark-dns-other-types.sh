#!/usr/bin/env bash
# aardvark-dns 1.17.1 (Debian sid), the names of Podman's networks: asked for a type that it does not have, of a container that it
# knows, it says that the name does not exist (NXDOMAIN), or asks the servers of the host.
#
# RFC 2308 has NOERROR without an answer for it, which is what it says for AAAA of a container without IPv6. NXDOMAIN is about all types
# of a name (RFC 8020). The full name gets the first answer. The name without a domain, which containers use, leaves the machine,
# and the answer is whatever the host's server says of it. Browsers and other clients ask for HTTPS beside A.
#
# Output seen, 2026-11-28 (db is the only container; "outside" is the host's server, which logs what it is asked):
#   db.dns.podman A: NOERROR 10.89.0.3
#   db.dns.podman AAAA: NOERROR
#   db.dns.podman HTTPS: NXDOMAIN
#   db.dns.podman TXT: NXDOMAIN
#   db A: NOERROR 10.89.0.3
#   db AAAA: NOERROR
#   db HTTPS: REFUSED
#   db TXT: REFUSED
#   outside was asked: db. HTTPS, db. TXT
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
apt-get "${options[@]}" download -qq aardvark-dns=1.17.1-3 libc6 libgcc-s1
for deb in *.deb; do dpkg -x "$deb" root; done
libraries=$work/root/usr/lib/$(uname -m)-linux-gnu
export AARDVARK="$libraries/ld-linux-x86-64.so.2 --library-path $libraries $work/root/usr/lib/podman/aardvark-dns"
$AARDVARK --version
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dnspython==2.9.2
mkdir networks
printf '%s\n' 10.89.0.1 'bbbbbbbbbbbb 10.89.0.3  db' >networks/lab
echo 'nameserver 127.0.0.99' >resolv.conf
cat >outside.py <<'OUTSIDE'
import socket

import dns.message
import dns.rcode
import dns.rdatatype

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, open('asked', 'w', buffering=1) as asked:
    server.bind(('127.0.0.99', 53))
    while True:
        data, client = server.recvfrom(4096)
        query = dns.message.from_wire(data)
        print(query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype), file=asked)
        answer = dns.message.make_response(query)
        answer.set_rcode(dns.rcode.REFUSED)
        server.sendto(answer.to_wire(), client)
OUTSIDE
cat >inside.py <<'INSIDE'
import time

import dns.message
import dns.query
import dns.rcode

for name in 'db.dns.podman', 'db':
    for kind in 'A', 'AAAA', 'HTTPS', 'TXT':
        query = dns.message.make_query(name, kind)
        for attempt in range(20):
            try:
                answer = dns.query.udp(query, '10.89.0.1', timeout=5, source='10.89.0.3')
                break
            except OSError:
                time.sleep(0.2)
        records = [item.to_text() for group in answer.answer for item in group]
        print(f'{name} {kind}:', dns.rcode.to_text(answer.rcode()), *records)
print('outside was asked:', ', '.join(open('asked').read().splitlines()))
INSIDE
cat >inside <<'INSIDE'
set -euo pipefail
mount --bind resolv.conf /etc/resolv.conf
ip link set lo up
ip address add 10.89.0.1/24 dev lo
ip address add 10.89.0.3/24 dev lo
venv/bin/python outside.py &
$AARDVARK --config networks --port 53 run >log 2>&1 &
venv/bin/python inside.py
INSIDE
# The new process namespace ends both servers with the script.
answer=$(timeout 60 unshare --user --map-root-user --net --mount --pid --fork --kill-child bash inside)
echo "$answer"
[ "$answer" = "db.dns.podman A: NOERROR 10.89.0.3
db.dns.podman AAAA: NOERROR
db.dns.podman HTTPS: NXDOMAIN
db.dns.podman TXT: NXDOMAIN
db A: NOERROR 10.89.0.3
db AAAA: NOERROR
db HTTPS: REFUSED
db TXT: REFUSED
outside was asked: db. HTTPS, db. TXT" ] || { echo "CHANGED"; exit 1; }
echo "as described"
