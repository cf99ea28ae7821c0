#!/usr/bin/env bash
# npm's @leichtgewicht/dns-packet 6.0.3 and @dnsquery/dns-packet 6.1.1 write each EDNS option that is given as bytes with the right length
# and nothing but zeros in it, and so each one that they have read. dns-packet 5.6.1, of which both are forks, writes the bytes.
#
# Their copy() of buffers needs a begin and an end, and is called here without them. A forwarder that is built on either changes the
# cookie of its client (RFC 7873), so that a server takes it for a bad one, loses the reason of a failure (RFC 8914), and sends the
# client's subnet (RFC 7871) as one of family 0, which servers answer by FORMERR. No function has an error.
#
# dnspython 2.9.2 writes the message. Output seen, 2026-11-28:
#   sent: COOKIE 3132333435363738, ECS 000117000a0102, EDE 00037374616c65
#   dns-packet: COOKIE 3132333435363738, ECS 000117000a0102, EDE 00037374616c65
#   @leichtgewicht/dns-packet: COOKIE 0000000000000000, ECS 00000000000000, EDE 00000000000000
#   @dnsquery/dns-packet: COOKIE 0000000000000000, ECS 00000000000000, EDE 00000000000000
#   @leichtgewicht/dns-packet, a query of its own with { code: 'COOKIE', data }: COOKIE 0000000000000000
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dnspython==2.9.2
npm install --silent --no-audit --no-fund --prefix . dns-packet@5.6.1 @leichtgewicht/dns-packet@6.0.3 @dnsquery/dns-packet@6.1.1
cat >again.mjs <<'JS'
import { execFileSync } from 'node:child_process';

const python = (...args) => execFileSync('venv/bin/python', ['options.py', ...args], { encoding: 'utf8' }).trim();
const message = Buffer.from(python('write'), 'hex');
const show = (bytes) => python('read', Buffer.from(bytes).toString('hex'));
console.log(`sent: ${show(message)}`);
for (const name of ['dns-packet', '@leichtgewicht/dns-packet', '@dnsquery/dns-packet']) {
  const { encode, decode } = await import(name).then((module) => module.default ?? module);
  console.log(`${name}: ${show(encode(decode(message)))}`);
}
const { encode } = await import('@leichtgewicht/dns-packet');
const options = [{ code: 'COOKIE', data: Buffer.from('12345678') }];
const query = { type: 'query', questions: [{ type: 'A', name: 'lab.test' }], additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1232, options }] };
console.log(`@leichtgewicht/dns-packet, a query of its own with { code: 'COOKIE', data }: ${show(encode(query))}`);
JS
cat >options.py <<'PYTHON'
import struct
import sys

import dns.edns
import dns.message

NAMES = {8: 'ECS', 10: 'COOKIE', 15: 'EDE'}

if sys.argv[1] == 'write':
    options = [dns.edns.GenericOption(10, b'12345678'), dns.edns.ECSOption('10.1.2.0', 23), dns.edns.EDEOption(3, 'stale')]
    print(dns.message.make_query('lab.test', 'A', use_edns=0, payload=1232, options=options).to_wire().hex())
else:
    wire = bytes.fromhex(sys.argv[2])
    # The header, the question of lab.test and what stands before the options of OPT.
    rest, shown = wire[12 + 14 + 11:], []
    while rest:
        code, length = struct.unpack('!HH', rest[:4])
        shown.append(f'{NAMES[code]} {rest[4:4 + length].hex()}')
        rest = rest[4 + length:]
    print(', '.join(shown))
PYTHON
answer=$(node again.mjs)
echo "$answer"
[ "$answer" = "sent: COOKIE 3132333435363738, ECS 000117000a0102, EDE 00037374616c65
dns-packet: COOKIE 3132333435363738, ECS 000117000a0102, EDE 00037374616c65
@leichtgewicht/dns-packet: COOKIE 0000000000000000, ECS 00000000000000, EDE 00000000000000
@dnsquery/dns-packet: COOKIE 0000000000000000, ECS 00000000000000, EDE 00000000000000
@leichtgewicht/dns-packet, a query of its own with { code: 'COOKIE', data }: COOKIE 0000000000000000" ] || { echo "CHANGED"; exit 1; }
echo "as described"
