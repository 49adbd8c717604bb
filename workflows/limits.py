"""Every duration and bound the interpreter uses, by name. What they are for and why they are so: ADR 0005."""

from datetime import timedelta

from temporalio.common import RetryPolicy

ACTION_TIMEOUT = timedelta(minutes=2)
"""One attempt of an action: longer than connect and read time-outs of every provider together."""

JUDGEMENT_TIMEOUT = timedelta(seconds=30)
"""One attempt at judging a condition."""

BOOKKEEPING_TIMEOUT = timedelta(seconds=10)
"""One attempt at writing where the enrollment stands."""

OUTAGE_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=10))
"""Outages are retried for ever: a contact never leaves because a provider was down."""

BOOKKEEPING_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(minutes=2))
"""The database may be away for long; the enrollment holds still until it is back."""

BOOKKEEPING_PAUSE = timedelta(minutes=10)
"""Where writing was refused for good (a mistake of ours, mended by a deployment): how long until it is tried anew."""

LOCAL_RETRY_THRESHOLD = timedelta(seconds=1)
"""A local activity that backs off longer than this waits on a timer of the server, so its worker is free meanwhile."""

WORTH_SHOWING = timedelta(minutes=1)
"""A wait at least this long gets its search attributes; due times that differ by less count as the same."""

WORTH_COUNTING = timedelta(minutes=1)
"""A local activity that took less leaves the workflow's time as it was."""

SHORTEST_DEFERRAL = timedelta(minutes=1)
"""A deferred send is asked for again after this at the earliest, whatever the receipt says."""

SHORTEST_TURN = timedelta(seconds=1)
"""The same where the receipt names an exact instant."""

REMEMBERED_EVENTS = 200
"""Ids of events that met a criterion, kept to drop repeats."""

LONGEST_SUMMARY = 300
"""Bytes of a summary; the server refuses more than 400."""

LONGEST_REASON = 300
"""Characters of a reason kept in the state."""
