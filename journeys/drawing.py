"""A journey drawn as SVG: boxes below each other, branches beside each other, nothing crossing.

A journey is made of nested steps, so its picture needs no search for a layout: each fork is drawn as columns that meet
again at the step behind the fork. Why no library does this: ADR 0013.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from html import escape

from journeys.diagram import COLOURS, END, ENTRY, GOAL, Arrow, Box, Chart, Look, Standing, counted

BOX = 236
"""Width of a box."""
LINE = 17
"""Height of a line of text."""
GAP = 30
"""Between boxes above each other."""
BUS = 16
"""From a box to the line its branches leave it by."""
DROP = 34
"""From that line to the first box of a branch; the words of the branch stand in it."""
BESIDE = 30
"""Between branches."""
COUNTS = 24
"""Height of a row of labels that tell who is at a step."""
APART = 6
"""Between such labels."""
NARROW = 84
"""Width of a branch without boxes, at least."""
MARGIN = 28
_INK = "#5c6670"
_TEXT = "#1c1f23"


@dataclass
class Shape:
    """A piece of the picture around a vertical axis at 0: how far it reaches, and its parts as SVG elements.

    `open` says whether the flow leaves it at the bottom of the axis.
    """

    left: float = 0
    right: float = 0
    height: float = 0
    open: bool = True
    parts: list[str] = field(default_factory=list)
    returns: str = ""
    """The box the flow goes back to, where it does."""

    def below(self, other: "Shape", gap: float) -> None:
        """Put another shape below this one, on the same axis."""
        self.left, self.right = max(self.left, other.left), max(self.right, other.right)
        self.parts.append(moved(other, 0, self.height + gap))
        self.height += gap + other.height
        self.open, self.returns = other.open, other.returns


def moved(shape: Shape, x: float, y: float) -> str:
    """The parts of a shape, elsewhere."""
    return f'<g transform="translate({x:g} {y:g})">{"".join(shape.parts)}</g>'


def svg(chart: Chart) -> str:
    """The picture as an SVG document of its own: no script, no font or style from elsewhere."""
    body = _Drawing(chart).sequence(ENTRY, frozenset())
    if GOAL in chart.boxes:
        body = _beside(body, _Drawing(chart).sequence(GOAL, frozenset()))
    head = _head(chart, body.left + body.right)
    width = max(body.left + body.right, head.right) + 2 * MARGIN
    height = head.height + body.height + 2 * MARGIN
    axis = MARGIN + body.left + max(0.0, (head.right - body.left - body.right) / 2)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="system-ui, -apple-system, Segoe UI, Roboto, sans-serif" font-size="13">'
        f"<title>{escape(chart.title)}</title>"
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 1L9 5L0 9z" fill="{_INK}"/></marker></defs>'
        f'<rect width="100%" height="100%" fill="#ffffff"/>'
        f"{moved(head, MARGIN, MARGIN)}{moved(body, axis, MARGIN + head.height)}</svg>\n"
    )


def _beside(shape: Shape, other: Shape) -> Shape:
    """Two pieces with nothing between them, the other one to the right, on the axis of the first."""
    axis = shape.right + 2 * BESIDE + other.left
    shape.parts.append(moved(other, axis, 0))
    shape.right, shape.height = axis + other.right, max(shape.height, other.height)
    return shape


def _head(chart: Chart, width: float) -> Shape:
    """Title, and what ends the journey at any step; a goal with steps of its own is a box."""
    room = max(width, 2 * BOX)
    shape = Shape(right=room, parts=[_text(0, 16, chart.title, size=18, weight=600, anchor="start")], height=34)
    sentences = [("Goal, at any step: ", chart.goal, Look.END)] if chart.goal and GOAL not in chart.boxes else []
    sentences += [("Leaves at any step on ", words, Look.EXIT) for words in chart.exits]
    for begin, words, look in sentences:
        shape.parts.append(f'<circle cx="5" cy="{shape.height + 8:g}" r="5" fill="{COLOURS[look][1]}"/>')
        for line in wrapped(begin + words, room - 20):
            shape.parts.append(_text(18, shape.height + 12, line, anchor="start"))
            shape.height += LINE
        shape.height += 5
    shape.height += 18
    return shape


@dataclass
class _Drawing:
    chart: Chart

    def sequence(self, box: str | None, around: Collection[str], stop: str | None = None) -> Shape:
        """Box after box, until `stop` or an end. `around` are the boxes whose branches this is inside of."""
        shape = Shape()
        drawn: set[str] = set()
        while box is not None and box != stop and shape.open:
            if box in around or box in drawn:
                shape.open, shape.returns = False, box
                break
            drawn.add(box)
            step, following = self._step(self.chart.boxes[box], {*around, *drawn})
            gap = GAP if shape.height else 0
            if gap:
                shape.parts.append(_line(0, shape.height, 0, shape.height + gap - 1, tip=True))
            shape.below(step, gap)
            box = following
        return shape

    def _step(self, box: Box, around: Collection[str]) -> tuple[Shape, str | None]:
        """A box with its branches, and the box where they meet."""
        arrows = self.chart.leaving(box.id)
        if len(arrows) <= 1:
            shape = _box(box)
            shape.open = bool(arrows)
            return shape, arrows[0].target if arrows else None
        end = self.chart.meetings[box.id]
        return self._fork(box, arrows, around, end), end

    def _fork(self, box: Box, arrows: list[Arrow], around: Collection[str], end: str) -> Shape:
        columns = [self._column(arrow, around, end) for arrow in arrows]
        offsets = _beside_each_other(columns)
        shape = _box(box)
        shape.parts += _out_of(shape.height, offsets)
        top = shape.height + BUS + DROP
        bottom = top + max(column.height for column in columns)
        for arrow, column, x in zip(arrows, columns, offsets, strict=True):
            tip = column.height > 0
            shape.parts.append(_line(x, shape.height + BUS, x, top - (1 if tip else 0), tip=tip))
            shape.parts.append(_label(x, shape.height + BUS + 19, arrow.words))
            shape.parts.append(moved(column, x, top))
            if column.open:
                shape.parts.append(_line(x, top + column.height, x, bottom + BUS))
            elif column.returns == box.id:
                shape.parts.append(_loop(x, x - column.left + 14, top + column.height, shape.height / 2))
            elif column.returns:
                shape.parts.append(_label(x, top + column.height + 12, f"back to {column.returns}"))
        shape.left = max([shape.left, *(column.left - x for column, x in zip(columns, offsets, strict=True))])
        shape.right = max([shape.right, *(column.right + x for column, x in zip(columns, offsets, strict=True))])
        opened = [x for column, x in zip(columns, offsets, strict=True) if column.open]
        shape.height = bottom + BUS if opened else bottom
        shape.open = bool(opened)
        if opened:
            shape.parts.append(_line(min([*opened, 0]), shape.height, max([*opened, 0]), shape.height))
        return shape

    def _column(self, arrow: Arrow, around: Collection[str], end: str) -> Shape:
        column = self.sequence(arrow.target, around, end)
        room = max(NARROW, _width(arrow.words) + 24) / 2
        column.left, column.right = max(column.left, room), max(column.right, room)
        if column.returns:
            column.height += 14
            column.left += 28
        return column


def _beside_each_other(columns: list[Shape]) -> list[float]:
    """The axes of the columns. What goes on stands below the fork: the way with boxes, or the middle of several."""
    axes, x = [], 0.0
    for column in columns:
        axes.append(x + column.left)
        x += column.left + column.right + BESIDE
    placed = list(zip(axes, columns, strict=True))
    opened = [axis for axis, column in placed if column.open]
    main = [axis for axis, column in placed if column.open and column.height] or opened or axes
    centre = (main[0] + main[-1]) / 2
    return [axis - centre for axis in axes]


def _out_of(height: float, offsets: list[float]) -> Iterator[str]:
    yield _line(0, height, 0, height + BUS)
    yield _line(min([*offsets, 0]), height + BUS, max([*offsets, 0]), height + BUS)


def _box(box: Box) -> Shape:
    """A box around the axis, with its words and, small, its note."""
    lines = wrapped(box.words, BOX - 26)
    words_end = len(lines) * LINE + (15 if box.note else 0) + 18
    rows = _rows(box.standing, box.look) if box.standing else []
    height = words_end + COUNTS * len(rows)
    fill, stroke = COLOURS[box.look]
    round_ = height / 2 if box.look in {Look.ENTRY, Look.EXIT, Look.END} else 5
    frame = f'x="{-BOX / 2:g}" y="0" width="{BOX}" height="{height}" rx="{min(round_, 18):g}"'
    parts = [f'<rect {frame} fill="{fill}" stroke="{stroke}" stroke-width="1.3"/>']
    if box.look is Look.WAIT:
        parts.append(f'<rect x="{-BOX / 2:g}" y="0" width="5" height="{height}" rx="2.5" fill="{stroke}"/>')
    parts += [_text(0, 22 + number * LINE, line) for number, line in enumerate(lines)]
    if box.note:
        parts.append(_text(0, 21 + len(lines) * LINE, box.note, size=11, fill=stroke))
    parts += _labels(rows, words_end)
    return Shape(left=BOX / 2, right=BOX / 2, height=height, open=box.look is not Look.EXIT, parts=parts)


@dataclass(frozen=True)
class _Label:
    """A number of contacts with its words, as it stands in a box."""

    words: str
    look: Look
    pale: bool

    @property
    def width(self) -> float:
        return _width(self.words, 11) * 1.12 + 18  # bold letters are wider

    def at(self, x: float, y: float) -> str:
        stroke = COLOURS[self.look][1]
        frame = f'x="{x:g}" y="{y:g}" width="{self.width:g}" height="19" rx="9"'
        words = _text(x + self.width / 2, y + 13.5, self.words, size=11, weight=600, fill=stroke)
        faded = ' opacity="0.5"' if self.pale else ""
        return f'<g{faded}><rect {frame} fill="#ffffff" stroke="{stroke}"/>{words}</g>'


def _rows(standing: Standing, look: Look) -> list[list[_Label]]:
    """Who is at a step, as labels beside each other, as many in a row as fit the box."""
    rows: list[list[_Label]] = [[]]
    for number, words, colour in counted(standing, look):
        label = _Label(f"{number:,} {words}", colour, pale=not number)
        if rows[-1] and sum(other.width + APART for other in rows[-1]) + label.width > BOX - 14:
            rows.append([])
        rows[-1].append(label)
    return rows


def _labels(rows: list[list[_Label]], top: float) -> Iterator[str]:
    """The rows of labels, each in the middle of the box; a number of nobody is pale."""
    for number, row in enumerate(rows):
        x = -(sum(label.width for label in row) + APART * (len(row) - 1)) / 2
        for label in row:
            yield label.at(x, top + number * COUNTS - 4)
            x += label.width + APART


def _text(
    x: float, y: float, words: str, *, size: int = 13, weight: int = 400, anchor: str = "middle", fill: str = _TEXT
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{fill}">{escape(words)}</text>'
    )


def _label(x: float, y: float, words: str) -> str:
    """Words on an arrow, on white, so that the line does not run through them."""
    if not words:
        return ""
    width = _width(words, 12) + 8
    back = f'<rect x="{x - width / 2:g}" y="{y - 12:g}" width="{width:g}" height="16" fill="#ffffff"/>'
    return back + _text(x, y, words, size=12, fill=_INK)


def _line(x1: float, y1: float, x2: float, y2: float, *, tip: bool = False) -> str:
    marker = ' marker-end="url(#tip)"' if tip else ""
    return f'<path d="M{x1:g} {y1:g}L{x2:g} {y2:g}" fill="none" stroke="{_INK}" stroke-width="1.3"{marker}/>'


def _loop(x: float, side: float, bottom: float, up: float) -> str:
    """From the end of a branch around its side back into the box above."""
    path = f"M{x:g} {bottom - 14:g}V{bottom:g}H{side:g}V{up:g}H{-BOX / 2 - 1:g}"
    return f'<path d="{path}" fill="none" stroke="{_INK}" stroke-width="1.3" marker-end="url(#tip)"/>'


def wrapped(words: str, room: float, size: float = 13) -> list[str]:
    """The words in lines that fit the room; a word that is too long for a line is broken."""
    lines, line = [], ""
    for word in words.split():
        longer = f"{line} {word}".strip()
        if line and _width(longer, size) > room:
            lines.append(line)
            longer = word
        while _width(longer, size) > room:
            fits = next(n for n in range(len(longer) - 1, 0, -1) if _width(longer[:n], size) <= room or n == 1)
            lines.append(longer[:fits])
            longer = longer[fits:]
        line = longer
    return [*lines, line] if line or not lines else lines


def _width(words: str, size: float = 13) -> float:
    """About how wide a text is, in a sans-serif font."""
    return sum(_EM.get(sign, 0.66 if sign.isupper() else 0.59) for sign in words) * size


_EM = {sign: em for em, signs in ((0.31, "iljtfI.,:;'|!()[] "), (0.92, "mwMW@%"), (0.42, "r-/*")) for sign in signs}
__all__ = ["END", "svg", "wrapped"]
