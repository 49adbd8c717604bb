"""One measured thing: a value beside what it is compared with, and the budget it must keep. Printed, and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Measurement:
    """`ratio` is value ÷ baseline. `budget` is written for people; `within` says whether it was kept."""

    name: str
    value: float
    baseline: float
    ratio: float
    budget: str
    within: bool


def at_most(name: str, value: float, limit: float, *, baseline: float) -> Measurement:
    """A value that must not exceed a limit, with what it is compared with."""
    return Measurement(name, value, baseline, value / baseline, f"≤ {limit:g}", value <= limit)


def at_most_times(name: str, value: float, baseline: float, factor: float) -> Measurement:
    """A value that must not exceed a multiple of its baseline."""
    return Measurement(name, value, baseline, value / baseline, f"≤ {factor:g} x baseline", value <= factor * baseline)


def at_least_times(name: str, value: float, baseline: float, factor: float) -> Measurement:
    """A value that must reach a multiple of its baseline."""
    return Measurement(name, value, baseline, value / baseline, f"≥ {factor:g} x baseline", value >= factor * baseline)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent (1 to 99) of them do not exceed, interpolated."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def show(measurements: Sequence[Measurement]) -> None:
    """Print them as a table."""
    table = Table(title="Measured in one run on this machine; compare the ratios, not the values")
    for heading in ("what", "value", "baseline", "ratio", "budget", ""):
        table.add_column(heading, justify="left" if heading in {"what", "budget", ""} else "right")
    for item in measurements:
        kept = "[green]kept[/green]" if item.within else "[red]missed[/red]"
        table.add_row(item.name, f"{item.value:.2f}", f"{item.baseline:.2f}", f"{item.ratio:.2f}", item.budget, kept)
    Console().print(table)


def write(measurements: Sequence[Measurement], path: Path) -> None:
    """Write them as JSON."""
    path.write_text(json.dumps([asdict(item) for item in measurements], indent=2, ensure_ascii=False) + "\n")
