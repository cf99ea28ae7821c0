"""The links of the network in which the program was started."""

from pyroute2 import IPRoute

import timing


def list_links(request):
    with IPRoute() as ip:
        return timing.median(request["times"], lambda: list(ip.get_links()))


def add_links(request):
    """One after another: the duration of all of them, over an open socket."""
    if request["times"] != 1:
        raise ValueError("links can be added once")
    indexes = range(request["from"], request["from"] + request["count"])
    with IPRoute() as ip:

        def veths():
            for index in indexes:
                ip.link("add", ifname=f"a{index}", kind="veth", peer=f"b{index}")

        def bridges():
            for index in indexes:
                ip.link("add", ifname=f"br{index}", kind="bridge", state="up")

        return timing.mean(1, veths if request["kind"] == "veth" else bridges)


def bring_up(request):
    """By its name, as in the request."""
    with IPRoute() as ip:

        def call():
            [index] = ip.link_lookup(ifname=request["name"])
            ip.link("set", index=index, state="up")

        return timing.median(request["times"], call)


OPERATIONS = {"links.list": list_links, "links.add": add_links, "links.up": bring_up}
