"""How long one call takes, in microseconds."""

import statistics
import time


def mean(times, call):
    """For what is too short to be timed one by one."""
    start = time.perf_counter_ns()
    for _ in range(times):
        call()
    return (time.perf_counter_ns() - start) / 1000 / times


def median(times, call):
    """Times each one."""
    return statistics.median(mean(1, call) for _ in range(times))
