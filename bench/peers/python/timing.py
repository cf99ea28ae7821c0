"""The duration of one call, in microseconds."""

import statistics
import time


def mean(times, call):
    """For calls too short to be measured one by one."""
    start = time.perf_counter_ns()
    for _ in range(times):
        call()
    return (time.perf_counter_ns() - start) / 1000 / times


def median(times, call):
    """Measures each one."""
    return statistics.median(mean(1, call) for _ in range(times))
