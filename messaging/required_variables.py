"""Which variables a template cannot do without: those it prints where nothing has asked whether there is a value.

A condition may ask for a variable without a value, and `default` replaces one; printing it, looping over it or handing
it to another filter fails (see `messaging.liquid`). What stands behind a condition counts only where that lets it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from liquid import RenderContext
from liquid.ast import ConditionalBlockNode, Node
from liquid.builtin.expressions import (
    BooleanExpression,
    FilteredExpression,
    Path,
)
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    EqExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalNotExpression,
    LogicalOrExpression,
    LtExpression,
    NeExpression,
)
from liquid.builtin.expressions.primitive import (
    FalseLiteral,
    FloatLiteral,
    IntegerLiteral,
    Nil,
    StringLiteral,
    TrueLiteral,
)
from liquid.builtin.tags.assign_tag import AssignNode
from liquid.builtin.tags.case_tag import CaseNode, MultiExpressionBlockNode
from liquid.builtin.tags.if_tag import IfNode
from liquid.builtin.tags.unless_tag import UnlessNode
from liquid.expression import Expression

from messaging.liquid import parsed

_LITERALS = (StringLiteral, IntegerLiteral, FloatLiteral, TrueLiteral, FalseLiteral)
_BOTH_HAVE_VALUES = (ContainsExpression, GtExpression, GeExpression, LtExpression, LeExpression)
_OF_ANY_VALUE = frozenset({"size", "first", "last"})
"""Names that Liquid reads of the value before them."""

_ROOTS = frozenset({"contact", "entry", "steps", "latest", "voucher"})
"""What a template may speak of that may be missing."""

Given = frozenset[str]
"""Variables that certainly have a value at a place in the template."""


def required_variables(*sources: str) -> frozenset[str]:
    """The variables without which one of the sources cannot be filled in for somebody, as `entry.product_id`.

    Raises:
        LiquidError: a source is not valid Liquid.
    """
    found: set[str] = set()
    for source in sources:
        template = parsed(source, escape=False)
        reader = _Reader(RenderContext(template))
        reader.read(template.nodes, frozenset())
        found |= reader.required
    return frozenset(found)


@dataclass
class _Reader:
    """Walks a syntax tree with what is known at each place.

    `aliases` are names that `assign` gave to variables; one that is given to something else later keeps its variable.
    """

    context: RenderContext
    required: set[str] = field(default_factory=set)
    aliases: dict[str, str] = field(default_factory=dict)

    def read(self, nodes: Iterable[Node], given: Given) -> None:
        for node in nodes:
            self._node(node, given)

    def _node(self, node: Node, given: Given) -> None:
        match node:
            case IfNode() | UnlessNode():
                self._choice(node, given)
            case CaseNode() | MultiExpressionBlockNode():
                self.read(node.children(self.context), given)
            case AssignNode() if (variable := self._plain(node.expression)) is not None:
                self.aliases[str(node.name)] = variable
            case _:
                for expression in node.expressions():
                    self._use(expression, given)
                self.read(node.children(self.context), given)

    def _choice(self, node: IfNode | UnlessNode, given: Given) -> None:
        wanted = isinstance(node, IfNode)
        self._node(node.consequence, given | self._implied(node.condition, holds=wanted))
        given = given | self._implied(node.condition, holds=not wanted)
        for alternative in node.alternatives:
            assert isinstance(alternative, ConditionalBlockNode)
            self._node(alternative.block, given | self._implied(alternative.expression, holds=True))
            given = given | self._implied(alternative.expression, holds=False)
        if node.default:
            self._node(node.default, given)

    def _use(self, expression: Expression, given: Given) -> None:
        """A place that needs the values of an expression."""
        match expression:
            case BooleanExpression():
                return
            case Path():
                if (name := self._name(expression)) is not None and name not in given:
                    self.required.add(name)
            case FilteredExpression() if expression.filters and expression.filters[0].name == "default":
                for filter_ in expression.filters:
                    self._each(filter_.children(), given)
                return
        self._each(expression.children(), given)

    def _each(self, expressions: Iterable[Expression], given: Given) -> None:
        for expression in expressions:
            self._use(expression, given)

    def _plain(self, expression: Expression) -> str | None:
        """The variable that an expression is nothing but."""
        if isinstance(expression, FilteredExpression) and not expression.filters:
            expression = expression.left
        return self._name(expression) if isinstance(expression, Path) else None

    def _name(self, path: Path) -> str | None:
        """The variable a path reads, without what Liquid reads of any value; None for a name of the template's own."""
        segments: list[str] = []
        for segment in path.path:
            if not isinstance(segment, str):
                break
            segments.append(segment)
        while len(segments) > 2 and segments[-1] in _OF_ANY_VALUE:  # noqa: PLR2004  root and name
            segments.pop()
        if not segments:
            return None
        root, *below = segments
        alias = self.aliases.get(root)
        if alias is None and (root not in _ROOTS or not below):
            return None
        return ".".join([alias or root, *below])

    def _implied(self, condition: Expression, *, holds: bool) -> Given:
        """The variables that certainly have a value where the condition holds, or where it does not."""
        given: Given = frozenset()
        match condition:
            case BooleanExpression():
                given = self._implied(condition.expression, holds=holds)
            case LogicalNotExpression():
                given = self._implied(condition.right, holds=not holds)
            case LogicalAndExpression() | LogicalOrExpression():
                left, right = (self._implied(side, holds=holds) for side in (condition.left, condition.right))
                given = left | right if isinstance(condition, LogicalAndExpression) == holds else left & right
            case EqExpression() | NeExpression():
                same = isinstance(condition, EqExpression) == holds
                given = self._compared(condition.left, condition.right, same=same)
                given |= self._compared(condition.right, condition.left, same=same)
            case _ if isinstance(condition, _BOTH_HAVE_VALUES) and holds:
                given = self._with_parents(condition.left) | self._with_parents(condition.right)
            case Path() if holds:
                given = self._with_parents(condition)
        return given

    def _compared(self, side: Expression, other: Expression, *, same: bool) -> Given:
        """Equal to a literal, or unequal to nil."""
        certain = isinstance(other, _LITERALS) if same else isinstance(other, Nil)
        return self._with_parents(side) if certain else frozenset()

    def _with_parents(self, expression: Expression) -> Given:
        name = self._name(expression) if isinstance(expression, Path) else None
        parts = name.split(".") if name else []
        return frozenset(".".join(parts[:length]) for length in range(2, len(parts) + 1))
