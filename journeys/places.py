"""Where something stands in a document: a path of keys and positions, and the line it was written in, where known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Path = tuple[str | int, ...]


def write_path(path: Sequence[str | int]) -> str:
    """`steps[2].send.template`; empty for the document itself."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True)
class Places:
    """Turns paths into places for people: `voucher.yaml, line 12, steps[2].send.template`."""

    source: str = ""
    lines: Mapping[Path, int] = field(default_factory=dict)

    def __call__(self, path: Sequence[str | int]) -> str:
        """The place of a path. The line is that of the nearest part that was written."""
        line = self._line(tuple(path))
        written = write_path(path) or ("" if self.source else "the document")
        parts = (self.source, f"line {line}" if line else "", written)
        return ", ".join(part for part in parts if part)

    def _line(self, path: Path) -> int | None:
        lines = (self.lines.get(path[:length]) for length in range(len(path), -1, -1))
        return next((line for line in lines if line), None)
