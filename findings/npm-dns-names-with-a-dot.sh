#!/usr/bin/env bash
# A label of a DNS name may hold a dot, and the names of services on a local network do ("Printer v2.1", RFC 6763, 4.3). npm's dns-packet
# 5.6.1, @leichtgewicht/dns-packet 6.0.3, dns2 3.1.1 and native-dns-packet 0.1.1 return the name without a mark for it, and write the
# label as two: what was found by a question for _ipp._tcp.local cannot be asked for its address.
#
# Escaped names, as dig and zone files have them ("v2\.1"), are no help: the backslash becomes part of the name. The same holds for the
# mailbox of a SOA record, where only dns-packet escapes what it reads and takes it back. And native-dns-packet cannot write the
# serial number of a zone from 2^31 on, as those made of a date and time have.
#
# dnspython 2.9.2 writes the answers, and reads what they make of them. Output seen, 2026-11-28 (each answer, and who has another one):
#   v2\.1._ipp._tcp.local.: dns-packet v2.1._ipp._tcp.local., @leichtgewicht/dns-packet v2.1._ipp._tcp.local., dns2 v2.1._ipp._tcp.local., native-dns-packet v2.1._ipp._tcp.local.
#   ns. first\.last.lab.test. 1 2 3 4 5: @leichtgewicht/dns-packet ns. first.last.lab.test. 1 2 3 4 5, dns2 ns. first.last.lab.test. 1 2 3 4 5, native-dns-packet ns. first.last.lab.test. 1 2 3 4 5
#   ns. mail. 2601011200 2 3 4 5: native-dns-packet ERR_OUT_OF_RANGE
#   dns-packet, asked for v2\.1._ipp._tcp.local: 5 labels, v2\.1._ipp._tcp.local
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dnspython==2.9.2
npm install --silent --no-audit --no-fund --ignore-scripts --prefix . dns-packet@5.6.1 @leichtgewicht/dns-packet@6.0.3 dns2@3.1.1 native-dns-packet@0.1.1
cat >answers.py <<'PYTHON'
import sys

import dns.message
import dns.rrset

ANSWERS = {
    'service': ('_ipp._tcp.local.', 'PTR', r'v2\.1._ipp._tcp.local.'),
    'mailbox': ('lab.test.', 'SOA', r'ns. first\.last.lab.test. 1 2 3 4 5'),
    'serial': ('lab.test.', 'SOA', 'ns. mail. 2601011200 2 3 4 5'),
}

if sys.argv[1] == 'write':
    name, kind, data = ANSWERS[sys.argv[2]]
    answer = dns.message.make_response(dns.message.make_query(name, kind))
    answer.answer.append(dns.rrset.from_text(name, 60, 'IN', kind, data))
    print(answer.to_wire().hex())
else:
    print(dns.message.from_wire(bytes.fromhex(sys.argv[2])).answer[0][0])
PYTHON
cat >again.cjs <<'JS'
const { execFileSync } = require('node:child_process');

const python = (...args) => execFileSync('venv/bin/python', ['answers.py', ...args], { encoding: 'utf8' }).trim();
const native = require('native-dns-packet');
const { Packet } = require('dns2');
const plain = (name) => ({ name, decode: require(name).decode, encode: require(name).encode });
const libraries = [
  plain('dns-packet'),
  plain('@leichtgewicht/dns-packet'),
  { name: 'dns2', decode: Packet.parse, encode: (packet) => packet.toBuffer() },
  {
    name: 'native-dns-packet',
    decode: native.parse,
    encode(packet) {
      const buffer = Buffer.alloc(512);
      return buffer.subarray(0, native.write(buffer, packet));
    },
  },
];
const again = ({ decode, encode }, bytes) => {
  try {
    return python('read', Buffer.from(encode(decode(bytes))).toString('hex'));
  } catch (error) {
    return error.code;
  }
};
for (const answer of ['service', 'mailbox', 'serial']) {
  const bytes = Buffer.from(python('write', answer), 'hex');
  const sent = python('read', bytes.toString('hex'));
  const other = libraries.map((library) => [library.name, again(library, bytes)]).filter(([, read]) => read !== sent);
  console.log(`${sent}: ${other.map(([name, read]) => `${name} ${read}`).join(', ')}`);
}
const { encode, decode } = require('dns-packet');
const asked = decode(encode({ questions: [{ type: 'A', name: 'v2\\.1._ipp._tcp.local' }] })).questions[0].name;
console.log(`dns-packet, asked for v2\\.1._ipp._tcp.local: ${asked.split('.').length} labels, ${asked}`);
JS
answer=$(node again.cjs)
echo "$answer"
[ "$answer" = 'v2\.1._ipp._tcp.local.: dns-packet v2.1._ipp._tcp.local., @leichtgewicht/dns-packet v2.1._ipp._tcp.local., dns2 v2.1._ipp._tcp.local., native-dns-packet v2.1._ipp._tcp.local.
ns. first\.last.lab.test. 1 2 3 4 5: @leichtgewicht/dns-packet ns. first.last.lab.test. 1 2 3 4 5, dns2 ns. first.last.lab.test. 1 2 3 4 5, native-dns-packet ns. first.last.lab.test. 1 2 3 4 5
ns. mail. 2601011200 2 3 4 5: native-dns-packet ERR_OUT_OF_RANGE
dns-packet, asked for v2\.1._ipp._tcp.local: 5 labels, v2\.1._ipp._tcp.local' ] || { echo "CHANGED"; exit 1; }
echo "as described"
