#!/usr/bin/env bash
# The crate simple-dns 0.13.0 cannot read a query for a type that it has no name for, and it writes an IPSECKEY with a wrong length.
#
# In an answer, it keeps a record of such a type as bytes, as RFC 3597 asks, and writes the same bytes. The same type in a question
# is an error for the whole message: a forwarder cannot pass it on, nor tell the client, since it does not get the id. Mail
# servers ask for TLSA, ssh for SSHFP. An IPSECKEY, which it knows, is written with a length of two bytes more than follow.
#
# dnspython 2.9.2 writes the messages and reads what the crate makes of them. Output seen, 2026-11-28:
#   A, with a DNAME in the answer: 3 records, read again: the same
#   TLSA: Provided QType is invalid: 52
#   SSHFP: Provided QType is invalid: 44
#   DNAME: Provided QType is invalid: 39
#   TYPE65280: Provided QType is invalid: 65280
#   IPSECKEY: 1 record, read again: FormError
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dnspython==2.9.2
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "types"
version = "0.0.0"
edition = "2021"

[dependencies]
simple-dns = "=0.13.0"
TOML
cat >src/main.rs <<'RUST'
fn main() {
    let message = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    match simple_dns::Packet::parse(&message) {
        Ok(packet) => {
            std::fs::write("again", packet.build_bytes_vec().unwrap()).unwrap();
            println!("{} record{}", packet.answers.len(), if packet.answers.len() == 1 { "" } else { "s" });
        }
        Err(error) => println!("{error}"),
    }
}
RUST
cargo build --quiet
cat >lab.py <<'LAB'
import subprocess

import dns.exception
import dns.message
import dns.rrset

NAME = 'a.old.example.'
CASES = [
    ('A', [('old.example.', 'DNAME', 'new.example.'), (NAME, 'CNAME', 'a.new.example.'), ('a.new.example.', 'A', '10.0.0.1')]),
    ('TLSA', [(NAME, 'TLSA', '3 1 1 ' + '12' * 32)]),
    ('SSHFP', [(NAME, 'SSHFP', '4 2 ' + '12' * 32)]),
    ('DNAME', [(NAME, 'DNAME', 'new.example.')]),
    ('TYPE65280', [(NAME, 'TYPE65280', '\\# 1 00')]),
    ('IPSECKEY', [(NAME, 'IPSECKEY', '10 1 2 192.0.2.38 AQNR')]),
]
for kind, records in CASES:
    message = dns.message.make_response(dns.message.make_query(NAME, kind))
    for name, record_kind, text in records:
        message.answer.append(dns.rrset.from_text(name, 300, 'IN', record_kind, text))
    with open('message', 'wb') as file:
        file.write(message.to_wire())
    seen = subprocess.run(['target/debug/types', 'message'], capture_output=True, text=True, check=True).stdout.strip()
    if 'invalid' not in seen:
        try:
            again = dns.message.from_wire(open('again', 'rb').read())
            seen += ', read again: ' + ('the same' if again == message and again.answer == message.answer else 'another')
        except dns.exception.DNSException as error:
            seen += f', read again: {type(error).__name__}'
    print(f'{kind}, with a DNAME in the answer: {seen}' if kind == 'A' else f'{kind}: {seen}')
LAB
answer=$(venv/bin/python lab.py)
echo "$answer"
[ "$answer" = "A, with a DNAME in the answer: 3 records, read again: the same
TLSA: Provided QType is invalid: 52
SSHFP: Provided QType is invalid: 44
DNAME: Provided QType is invalid: 39
TYPE65280: Provided QType is invalid: 65280
IPSECKEY: 1 record, read again: FormError" ] || { echo "CHANGED"; exit 1; }
echo "as described"
