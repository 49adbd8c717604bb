"""Comparing how often groups met a goal: rates with intervals, differences with intervals, and when a winner is named.

Pure arithmetic. Who is in which group is in `journeys.experiments`; the counts come from `crm.experiments`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Counted:
    """How many were in a group, and how many of them met the goal."""

    entered: int
    met: int

    @property
    def rate(self) -> float:
        """The share that met the goal; 0 of an empty group."""
        return self.met / self.entered if self.entered else 0.0


class Interval(NamedTuple):
    """Where the true value lies with the confidence asked for, both ends included."""

    low: float
    high: float


def rate_interval(counted: Counted, confidence: float = CONFIDENCE) -> Interval:
    """Where the true rate lies: the score interval of Wilson.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927) 209-212;
    method 3 of Newcombe 1998 (see `difference_interval`). It is right for small groups and rates near 0, too.
    """
    if not counted.entered:
        return Interval(0.0, 1.0)
    z, n, rate = _z(confidence), counted.entered, counted.rate
    center = rate + z * z / (2 * n)
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    return Interval(max((center - half) / whole, 0.0), min((center + half) / whole, 1.0))


def difference_interval(first: Counted, second: Counted, confidence: float = CONFIDENCE) -> Interval:
    """Where the true difference of the rates, first minus second, lies: the hybrid score interval of Newcombe.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17 (1998) 873-890, method 10.
    """
    difference = first.rate - second.rate
    (low_1, high_1), (low_2, high_2) = rate_interval(first, confidence), rate_interval(second, confidence)
    below = sqrt((first.rate - low_1) ** 2 + (high_2 - second.rate) ** 2)
    above = sqrt((high_1 - first.rate) ** 2 + (second.rate - low_2) ** 2)
    return Interval(max(difference - below, -1.0), min(difference + above, 1.0))


def chance(first: Counted, second: Counted) -> float:
    """How likely a difference at least as large as this is where the rates are truly equal.

    The two-sided test of two proportions with a pooled rate: z = (p1 - p2) / sqrt(p (1 - p) (1/n1 + 1/n2)). See the
    NIST/SEMATECH e-Handbook of Statistical Methods, 7.3.3, "How can we determine whether two processes produce the
    same proportion of defectives?". 1 where a group is empty, or nobody or everybody met the goal.
    """
    entered = first.entered + second.entered
    pooled = (first.met + second.met) / entered if entered else 0.0
    if not first.entered or not second.entered or pooled in {0.0, 1.0}:
        return 1.0
    error = sqrt(pooled * (1 - pooled) * (1 / first.entered + 1 / second.entered))
    return 2 * NormalDist().cdf(-abs(first.rate - second.rate) / error)


@dataclass(frozen=True)
class Verdict:
    """The winner of an experiment, or None where no difference could be shown; and because of what."""

    winner: str | None
    because: str


def winner_of(arms: Mapping[str, Counted], confidence: float = CONFIDENCE) -> Verdict:
    """The arm whose rate is best, where it is better than each other arm and chance is no good explanation of that.

    The rule. Each arm's sample is its first contacts, as many as the experiment says; it is looked at once, when the
    outcome of all of them is known: looking again and again would find differences that chance has made. The best
    arm wins where its `chance` against every other arm is at most (1 - confidence) / (number of other arms): with
    several comparisons, each must be held to more (Bonferroni). Otherwise there is no winner.
    """
    best = max(arms, key=lambda arm: (arms[arm].rate, arm))
    others = [arm for arm in arms if arm != best]
    allowed = (1 - confidence) / len(others)
    chances = {arm: chance(arms[best], arms[arm]) for arm in others}
    told = ", ".join(f"'{arm}' {arms[arm].met} of {arms[arm].entered}" for arm in arms)
    if all(found <= allowed for found in chances.values()):
        return Verdict(best, f"'{best}' is best: {told}; by chance in {max(chances.values()):.2%} of cases at most")
    nearest = max(chances, key=lambda arm: chances[arm])
    because = f"no winner: {told}; '{best}' and '{nearest}' may differ by chance ({chances[nearest]:.1%})"
    return Verdict(None, because)


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf(0.5 + confidence / 2)
