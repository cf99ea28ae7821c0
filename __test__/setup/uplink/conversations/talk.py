"""All conversations, those of a protocol at once: `talk.py PLACES`, which is JSON. Prints what the client of each saw."""
import concurrent.futures
import json
import sys

from conversation import Place, word_of
from datagrams import DATAGRAMS
from programs import DIGS, PINGS
from streams import STREAMS

places = json.loads(sys.argv[1])
port, resolver = places['port'], places['resolver']


def outcome(act, *args) -> str:
    try:
        return act(*args)
    except OSError as error:
        return word_of(error)


def all_of(acts: dict) -> dict:
    with concurrent.futures.ThreadPoolExecutor(max_workers=100) as pool:
        futures = {name: pool.submit(outcome, *act) for name, act in acts.items()}
        return {name: future.result() for name, future in futures.items()}


def between(protocol: str, conversations: dict) -> dict:
    return {
        f'{protocol}, {family}: {name}': (conversation.client, Place(places[family], port + index))
        for family in ('IPv4', 'IPv6')
        for index, (name, conversation) in enumerate(conversations.items())
    }


questions = {f'DNS: {name}': (program.client, resolver) for name, program in DIGS.items()}
# Streams in full use would drive datagrams out of the queues.
print(json.dumps({
    **all_of(between('TCP', STREAMS) | questions),
    **all_of(between('UDP', DATAGRAMS)),
    **all_of(between('ICMP', PINGS)),
}))
