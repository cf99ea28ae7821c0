"""Notifications of the network in which the program was started."""

import time

from pyroute2 import IPRoute

watched = None


def begin(request):
    """Receives from now on, with a buffer for all that comes until they are read."""
    global watched
    ip = IPRoute(rcvbuf=1 << 25)
    ip.bind()
    watched = ip, time.process_time_ns()
    return 0


def read(request):
    """Reads this many: the processor time of one since the beginning."""
    global watched
    (ip, began), watched = watched, None
    count = 0
    while count < request["count"]:
        for message in ip.get():
            count += message["event"] in ("RTM_NEWADDR", "RTM_DELADDR")
    took = (time.process_time_ns() - began) / 1000 / count
    ip.close()
    return took


OPERATIONS = {"events.begin": begin, "events.read": read}
