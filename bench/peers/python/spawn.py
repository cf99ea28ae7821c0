"""A program inside until it has ended. The library starts each from a separate process, which enters the network."""

from pyroute2 import NSPopen

import timing


def spawn(request):
    def call():
        child = NSPopen(request["name"], [request["program"]])
        child.wait()
        child.release()

    return timing.mean(request["times"], call)


OPERATIONS = {"NSPopen": spawn}
