"""Ratios of what ran side by side: a machine that slows down does so for both."""

import operator
import statistics


def ratio(times, peer, ours):
    """Give the median over the rounds of a peer's time / ours; None where one of them was not timed.

    Who is slow was timed once only, beside the first round of the others.
    """
    if peer not in times or ours not in times:
        return None
    return statistics.median(map(operator.truediv, times[peer], times[ours]))
