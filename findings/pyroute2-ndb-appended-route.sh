#!/usr/bin/env bash
# pyroute2 0.9.7: of two routes to one network (`ip route append`), NDB knows the second one, and the kernel uses the first one.
#
# The kernel takes several IPv4 routes that differ in the gateway alone, and the packets follow the oldest. NDB has one row for each
# network, table, tos and metric, so that the route that was listed last replaces the one in use. IPRoute of the same package
# lists both, and NDB has both where the metric differs.
#
# Output seen, 2026-11-28:
#   kernel: 10.1.0.9 via 10.0.0.5
#   IPRoute: 10.0.0.5 10.0.0.6
#   NDB: 10.0.0.6
#   NDB, another metric: 10.0.0.5 10.0.0.6
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyroute2==0.9.7
cat >inside.py <<'INSIDE'
import subprocess
from pyroute2 import NDB, IPRoute


def ip(words):
    return subprocess.run(['ip', *words.split()], capture_output=True, text=True, check=True).stdout


ip('link add lab0 type veth peer name lab1')
ip('link set lab0 up')
ip('link set lab1 up')
ip('address add 10.0.0.1/24 dev lab0')
ip('route add 10.1.0.0/16 via 10.0.0.5')
ip('route append 10.1.0.0/16 via 10.0.0.6')
ip('route add 10.2.0.0/16 via 10.0.0.5 metric 5')
ip('route add 10.2.0.0/16 via 10.0.0.6 metric 6')
print('kernel:', *ip('route get 10.1.0.9').split()[:3])
with IPRoute() as routes:
    print('IPRoute:', *[route.get('gateway') for route in routes.get_routes(family=2) if route.get('dst') == '10.1.0.0'])
with NDB() as database:
    print('NDB:', *[route.gateway for route in database.routes.dump() if route.dst == '10.1.0.0'])
    print('NDB, another metric:', *[route.gateway for route in database.routes.dump() if route.dst == '10.2.0.0'])
INSIDE
answer=$(timeout 60 unshare --user --map-root-user --net venv/bin/python inside.py)
echo "$answer"
[ "$answer" = "kernel: 10.1.0.9 via 10.0.0.5
IPRoute: 10.0.0.5 10.0.0.6
NDB: 10.0.0.6
NDB, another metric: 10.0.0.5 10.0.0.6" ] || { echo "CHANGED"; exit 1; }
echo "as described"
