"""The servers of all conversations, from a port on: `serve.py PORT [SERVER OTHER]…`. Its input ends it; then it prints what it saw."""
import json
import sys

from datagrams import DATAGRAMS
from streams import STREAMS, serve

port = int(sys.argv[1])
seen = {}


def noting(name: str):
    notes = seen.setdefault(name, [])
    return notes.append


for family, addresses in ('IPv4', sys.argv[2:4]), ('IPv6', sys.argv[4:6]):
    for index, (name, conversation) in enumerate(STREAMS.items()):
        if conversation.server is not None:
            serve(conversation, addresses[0], port + index, noting(f'TCP, {family}: {name}'))
    for index, (name, conversation) in enumerate(DATAGRAMS.items()):
        if conversation.listen is not None:
            conversation.listen(addresses, port + index, noting(f'UDP, {family}: {name}'))
print('ready', flush=True)
sys.stdin.read()
print(json.dumps({name: ', '.join(sorted(set(notes))) for name, notes in seen.items()}), flush=True)
