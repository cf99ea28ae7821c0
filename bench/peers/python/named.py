"""Named networks."""

from pyroute2 import netns

import timing


def create_and_remove(request):
    """This many, all created and then all removed."""
    paths = [f"{request['directory']}/{request['prefix']}-{index}" for index in range(request['inARow'])]

    def call():
        for path in paths:
            netns.create(path)
        for path in paths:
            netns.remove(path)

    return timing.mean(request["times"], call)


OPERATIONS = {"netns.create": create_and_remove}
