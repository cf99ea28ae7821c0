#!/usr/bin/env bash
# pyroute2 0.9.7: a token bucket of 40 Gbit/s is an error of Python's struct module, and one of 30 Gbit/s works.
#
# The rate in bytes has a field of 32 bits, which ends at 34.36 Gbit/s. The kernel takes larger ones in TCA_TBF_RATE64, where tc
# puts them. The message names neither the rate nor its limit.
#
# Output seen, 2026-11-27:
#   30gbit: qdisc tbf 1: root refcnt N rate 30Gbit
#   40gbit: error: 'I' format requires 0 <= number <= 4294967295
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyroute2==0.9.7
cat >inside.py <<'INSIDE'
import subprocess
from pyroute2 import IPRoute

ip = IPRoute()
ip.link('add', ifname='lab0', kind='veth', peer='lab1')
[lab0] = ip.link_lookup(ifname='lab0')
ip.tc('add', 'tbf', lab0, handle='1:', rate='30gbit', burst=90000, latency='50ms')
shown = subprocess.run(['tc', 'qdisc', 'show', 'dev', 'lab0'], capture_output=True, text=True, check=True).stdout
print('30gbit:', shown.strip())
assert 'rate 30Gbit' in shown, 'CHANGED: 30 Gbit/s'
try:
    ip.tc('replace', 'tbf', lab0, handle='1:', rate='40gbit', burst=90000, latency='50ms')
except Exception as error:
    print(f'40gbit: {type(error).__name__}: {error}')
    assert "'I' format" in str(error), 'CHANGED: the error'
else:
    raise SystemExit('CHANGED: 40 Gbit/s works')
subprocess.run(['tc', 'qdisc', 'replace', 'dev', 'lab0', 'root', 'handle', '1:', 'tbf', 'rate', '40gbit', 'burst', '90000', 'latency', '50ms'], check=True)
INSIDE
unshare --user --map-root-user --net venv/bin/python inside.py
echo "as described"
