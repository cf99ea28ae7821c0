"""A peer of the benchmarks: pyroute2, in a program that times itself.

A line of JSON names an operation and how often to run it; the program's line has the duration of one, in microseconds, or an
error.
"""

import json
import sys

import events
import links
import named
import sets
import spawn

held = None


def hold(request):
    """As much live memory as the process that it is compared with, each page written."""
    global held
    held = None
    held = bytearray(b"\1") * (request["MiB"] << 20)
    return 0


OPERATIONS = {"hold": hold, **sets.OPERATIONS, **named.OPERATIONS, **links.OPERATIONS, **events.OPERATIONS, **spawn.OPERATIONS}


def answer(request):
    operation = OPERATIONS.get(request["do"])
    if operation is None:
        return {"error": f"unknown operation {request}"}
    try:
        return {"took": operation(request)}
    except Exception as error:
        return {"error": repr(error)}


def main():
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


main()
