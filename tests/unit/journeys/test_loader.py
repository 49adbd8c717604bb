"""Reading YAML: what is wrong is said once, at its line, with what to do."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeys.checks import check
from journeys.documents import journey_from_document, to_document
from journeys.loader import load_document, load_file, load_journey, load_with_places
from journeys.model import Journey
from journeys.places import write_path
from journeys.steps.registry import STEP_KINDS
from kit.errors import Invalid, Problem

VOUCHER = """\
key: voucher
name: Voucher
owner: crm
entry:
  event: order.placed
  where: {order_number: 1}
  audience: {consent: {purpose: marketing}}
  again: never
window: {days: mon-fri, from: 08:00, to: "20:00"}
steps:
  - wait: 1d
  - id: voucher
    send:
      template: voucher
  - if: {none: {event: review.created}}
    then:
      - exit: no review
"""


def said(text: str) -> list[str]:
    """All that is said of a text that cannot be used."""
    with pytest.raises(Invalid) as raised:
        load_journey(text, source="voucher.yaml")
    return [str(problem) for problem in raised.value.problems]


def refusals(read: Callable[[], Journey]) -> Sequence[Problem]:
    """Why something is refused, at least one problem; none where it is read."""
    try:
        read()
    except Invalid as error:
        return error.problems or [Problem("", "", "")]
    return []


def instead(old: str, new: str) -> str:
    assert old in VOUCHER
    return VOUCHER.replace(old, new)


def test_a_journey_is_read() -> None:
    document = to_document(load_journey(VOUCHER))
    assert document["window"] == {"days": "mon,tue,wed,thu,fri", "from": "08:00", "to": "20:00"}
    assert document["steps"][1] == {"id": "voucher", "send": {"template": "voucher"}}


MISTAKES = [
    (
        "      template:",
        "      tmplate:",
        ", line 14, steps[1].send.tmplate: `tmplate` is not a key that can stand here. Did you mean `template`?",
    ),
    ("owner: crm\n", "", ", line 1, owner: `owner` is missing. Add `owner`."),
    (
        "    send:\n      template: voucher\n",
        "    send: {}\n",
        ", line 13, steps[1].send.template: `template` is missing. Add `template`.",
    ),
    (
        "wait: 1d",
        "wait: a day",
        (
            ", line 11, steps[0].wait: 'a day' is not a duration. Write a number and a unit, such as 90s, "
            "15m, 24h, 1d or 2w."
        ),
    ),
    (
        "wait: 1d",
        "wait: 1 day",
        (
            ", line 11, steps[0].wait: '1 day' does not say at what time. Write `1 day at 09:00`, or `1d` "
            "for exact time."
        ),
    ),
    (
        "08:00",
        "8:00",
        ", line 9, window.from: '8:00' is not a time of day. Write hours and minutes in quotes, such as \"08:00\".",
    ),
    (
        "08:00",
        "800",
        ', line 9, window.from: 800 is not a time of day. Write hours and minutes in quotes, such as "08:00".',
    ),
    (
        "mon-fri",
        "mon-fry",
        (
            ", line 9, window.days: 'mon-fry' is not a set of weekdays. Write mon-fri, or sat,sun; days are "
            "mon, tue, wed, thu, fri, sat, sun."
        ),
    ),
    (
        "- wait: 1d",
        "- weit: 1d",
        (
            ", line 11, steps[0]: This is not a step. Did you mean `wait`? Give it one of the keys "
            f"{', '.join(STEP_KINDS)}."
        ),
    ),
    (
        "none: {event",
        "nonne: {event",
        (
            ", line 15, steps[2].if: This is not a condition. Did you mean `none`? Give it one of the keys "
            "all, any, not, attribute, event, none, consent, in_list, segment, score, stage, entry, result, step."
        ),
    ),
    (
        "purpose: marketing",
        "purpose: marketng",
        (
            ", line 7, entry.audience.consent.purpose: 'marketng' is not one of the words that can stand "
            "here. Did you mean marketing? Allowed: marketing, sales."
        ),
    ),
    (
        "again: never",
        "again: nevr",
        (
            ", line 8, entry.again: 'nevr' is not one of the words that can stand here. Did you mean never? "
            "Allowed: never, after_exit."
        ),
    ),
    (
        "again: never",
        "again: {every: 90d}",
        (
            ", line 8, entry.again: {'every': '90d'} is no rule for entering again. Write never, after_exit,"
            " {cooldown: 90d} or {per: order_id}."
        ),
    ),
    (
        "{order_number: 1}",
        "{order_number: [1]}",
        ", line 6, entry.where.order_number: A list cannot stand here. Write a text, a number, true, false or null.",
    ),
    (
        "{order_number: 1}",
        "{order_number: {at_leest: 1}}",
        (
            ", line 6, entry.where.order_number.at_leest: `at_leest` is not a key that can stand here. Did "
            "you mean `at_least`?"
        ),
    ),
    (
        "{order_number: 1}",
        '{order_number: {at_least: "1"}}',
        (
            ", line 6, entry.where.order_number.at_least: '1' is not a number. Write a number without "
            "quotes, such as 3 or 49.90."
        ),
    ),
    (
        "exit: no review",
        "exit: 5",
        ', line 17, steps[2].then[0].exit: A number stands where a text must. Put it in quotes: "5".',
    ),
    ("exit: no review", "exit:", ", line 17, steps[2].then[0].exit: Null stands where a text must. Write a text."),
    (
        "id: voucher",
        "id: The Voucher",
        (
            ", line 12, steps[1].id: 'The Voucher' cannot be used as a name here. Use lower case letters, "
            "digits and single hyphens, such as `review-request`."
        ),
    ),
    (
        "  event: order.placed\n",
        "",
        ", line 4, entry: `where` filters an event, and there is none. Name the `event`, or use `audience`.",
    ),
    (
        "owner: crm",
        "owner: crm\nowner: b",
        ", line 4, owner: `owner` stands here twice; first in line 3. Remove one of them.",
    ),
    ("  - wait: 1d", "\t- wait: 1d", ", line 11: A tab stands where spaces must. Indent with spaces."),
    (
        '"20:00"',
        '"20:00',
        ", line 18: Something that was opened above is not closed. Look for a missing quote or bracket.",
    ),
    (
        "owner: crm",
        "owner: a: b",
        ", line 3: A colon stands where none can. Put the text in quotes, or check indentation.",
    ),
    ("owner: crm", "owner: *team", ", line 3: The alias names no anchor above it. Write the value itself."),
    (
        "owner: crm",
        "owner: !!python/object:os.system x",
        (
            ", line 3, owner: The tag tag:yaml.org,2002:python/object:os.system is not allowed. Remove it "
            "and write the plain value."
        ),
    ),
    ("owner: crm", "owner: crm\n1: 2", ", line 4, 1: A key must be a text. Put it in quotes."),
    ("owner: crm", "owner: crm\n? [a]\n: 2", ", line 4, ?: A key must be a text. Put it in quotes."),
    (
        "owner: crm",
        "owner: crm\n---\n",
        ", line 4: A second document begins here. Keep one document per file; remove the line `---`.",
    ),
    (
        "key: voucher",
        "%YAML 1.1\n---\nkey: voucher",
        ": It has a YAML directive, a line that begins with `%`. Remove that line; YAML 1.2 is read.",
    ),
]


FURTHER = [
    ("1d", "999999999999w", ", line 11, steps[0].wait: '999999999999w' is longer than a hundred years."),
    (
        "order_number: 1",
        "order_number: .nan",
        ", line 6, entry.where.order_number: Nan is not a number to compare with.",
    ),
    ("name: Voucher", f"name: {'x' * 201}", ", line 2, name: This is too long. At most 200 are allowed."),
    ("event: review.created", "event: x, within: [1]", ", line 15, steps[2].if.none.within: [1] is not a duration."),
    ("wait: 1d", "list: {}", ", line 11, steps[0].list: This is not one change of one list."),
    ("wait: 1d", "send: voucher", ", line 11, steps[0].send: A text stands where keys and values must."),
    (
        "none: {event: review.created}",
        "any: {in_list: vip}",
        ", line 15, steps[2].if.any: An object stands where a list",
    ),
    ("none: {event: review.created}", "event: x, at_least: -1", ", line 15, steps[2].if.at_least: -1 is too small."),
    (
        "none: {event: review.created}",
        "event: x, at_least: two",
        ", line 15, steps[2].if.at_least: 'two' is not a whole number.",
    ),
    (
        "none: {event: review.created}",
        "score: {model: m}",
        ", line 15, steps[2].if.score: This asks nothing of the score.",
    ),
    (
        "none: {event: review.created}",
        'event: " x"',
        ", line 15, steps[2].if.event: ' x' cannot be used as a name here.",
    ),
]


@pytest.mark.parametrize(("old", "new", "beginning"), FURTHER, ids=lambda value: value[:30].strip())
def test_further_mistakes_are_told_at_their_place(old: str, new: str, beginning: str) -> None:
    (sentence,) = said(instead(old, new))
    assert sentence.startswith(f"voucher.yaml{beginning}")


@pytest.mark.parametrize(("old", "new", "sentence"), MISTAKES, ids=lambda value: value[:30].strip())
def test_each_mistake_is_one_finding_with_place_and_remedy(old: str, new: str, sentence: str) -> None:
    assert said(instead(old, new)) == [f"voucher.yaml{sentence}"]


def test_all_mistakes_are_told_in_the_order_of_the_document() -> None:
    text = instead("name: Voucher", "nme: Voucher").replace("wait: 1d", "wait: soon").replace("template:", "tmplate:")
    assert [sentence.partition(": ")[0] for sentence in said(text)] == [
        "voucher.yaml, line 2, nme",
        "voucher.yaml, line 11, steps[0].wait",
        "voucher.yaml, line 14, steps[1].send.tmplate",
    ]


def test_the_error_itself_counts_the_problems_and_tells_the_first() -> None:
    with pytest.raises(Invalid, match=r"^This journey cannot be used \(2 problems\)\. voucher\.yaml, line 2, nme: "):
        load_journey(instead("name:", "nme:").replace("wait: 1d", "wait: soon"), source="voucher.yaml")


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff"])
def test_an_empty_text_is_no_journey(text: str) -> None:
    assert said(text) == ["voucher.yaml: It is empty. Write a journey into it."]


@pytest.mark.parametrize("text", ["- a\n", "just words\n", "5\n"])
def test_a_text_without_keys_is_no_journey(text: str) -> None:
    assert said(text) == ["voucher.yaml, line 1: This is no journey. Write keys and values, such as `key: …`."]


def test_yaml_is_read_as_version_1_2() -> None:
    document, _ = load_document("a: no\nb: 08:00\nc: 2026-01-01\nd: 0o17\ne: yes\nf: null\ng: true\nh: 1.5")
    assert document == {
        "a": "no", "b": "08:00", "c": "2026-01-01", "d": 15, "e": "yes", "f": None, "g": True, "h": 1.5
    }  # fmt: skip


def test_an_alias_stands_for_the_value_it_names() -> None:
    document, places = load_document("a: &x {b: 1}\nc: *x\n", source="x.yaml")
    assert document == {"a": {"b": 1}, "c": {"b": 1}}
    assert places(("c", "b")) == "x.yaml, line 1, c.b"


def test_aliases_cannot_be_multiplied_without_end() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    assert said(bomb) == ["voucher.yaml: There are more than 20000 values. Use fewer aliases, or split it."]


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "[" * 100_000, "a:\n" + "- " * 5_000, "{a: " * 5_000])
def test_endless_nesting_ends(text: str) -> None:
    assert said(text)[0].endswith("It is nested deeper than 100 levels. Write it flatter.")


def test_a_text_that_is_too_large_is_not_even_read() -> None:
    assert said("# " + "x" * 256 * 1024) == ["voucher.yaml: It is larger than 256 KiB. Split it into smaller ones."]


def test_a_number_too_long_to_be_one_is_told() -> None:
    assert "cannot be read" in said(instead("order_number: 1", f"order_number: {'9' * 5_000}"))[0]


def test_a_file_is_named_without_its_folders(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("key: 5\n", encoding="utf-8")
    with pytest.raises(Invalid) as raised:
        load_file(file)
    assert raised.value.problems[0].where == "broken.yaml, line 1, key"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "voucher.yaml"
    file.write_text(VOUCHER, encoding="utf-8-sig")
    assert load_file(file).key == "voucher"


def test_a_file_that_is_no_utf_8_text_or_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("name: Müller".encode("latin-1"))
    with pytest.raises(Invalid, match="It is not UTF-8 text"):
        load_file(file)
    with pytest.raises(Invalid, match="cannot be read: No such file"):
        load_file(tmp_path / "absent.yaml")


def test_findings_of_checks_can_be_told_with_file_and_line() -> None:
    journey, places = load_with_places(instead("wait: 1d", "wait: 0s"), source="voucher.yaml")
    (finding,) = check(journey, None, places=places)
    assert finding.problem.where == "voucher.yaml, line 11, steps[0].wait"


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=60), st.text("{}[]:,-&*!|>'\"%@?# \n\tab1", max_size=40)))
def test_whatever_is_written_is_read_or_refused_with_a_place(text: str) -> None:
    problems = refusals(lambda: load_journey(text, source="x.yaml"))
    assert all(problem.where.startswith("x.yaml") and problem.what for problem in problems)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)
PLACES_TO_BREAK = [
    ("key",), ("goal",), ("goal", "within"), ("entry",), ("entry", "where"), ("entry", "audience"), ("entry", "again"),
    ("exit",), ("window",), ("window", "days"), ("window", "from"), ("steps",), ("steps", 0), ("steps", 1, "send"),
    ("steps", 2, "if"), ("steps", 2, "then"), ("extra",),
]  # fmt: skip


@settings(max_examples=300)
@given(st.sampled_from(PLACES_TO_BREAK), json_values)
def test_whatever_stands_anywhere_is_read_or_refused_at_that_place(path: tuple[Any, ...], value: Any) -> None:
    document, _ = load_document(VOUCHER)
    document |= {"goal": {"type": "sell", "event": "x"}, "exit": []}
    target = document
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    place, parent = write_path(path), write_path(path[:-1]) or "the document"
    problems = refusals(lambda: journey_from_document(document))
    assert all(problem.where.startswith(place) or problem.where == parent for problem in problems)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("if: {step: paid}", "'paid' names no property of a step. Write the step's id, a dot and the property"),
        (f"if: {{event: a, at_least: 1{'0' * 30}}}", "is too large. Write at most 2147483647."),
        (f"if: {{attribute: a, is: {{at_least: 1{'0' * 400}}}}}", "is too large to compare with."),
        (f"set: {{a: -1{'0' * 400}}}", "is too large to compare with."),
    ],
)
def test_a_number_no_one_counts_with_and_half_a_reference_are_told(written: str, said: str) -> None:
    with pytest.raises(Invalid, match=re.escape(said)):
        load_journey(f"key: a\nname: A\nowner: crm\nentry: {{event: a}}\nsteps:\n  - {written}\n")
