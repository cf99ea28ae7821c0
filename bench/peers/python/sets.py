"""Entering a network and returning, and new networks."""

import os

from pyroute2 import netns

import timing


def set_and_back(request):
    """By open descriptors."""
    there = os.open(request["path"], os.O_RDONLY | os.O_CLOEXEC)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def call():
        netns.setns(there)
        netns.setns(home)

    try:
        return timing.mean(request["times"], call)
    finally:
        os.close(there)
        os.close(home)


OPERATIONS = {"netns.setns": set_and_back}
