import re
from typing import Any, ClassVar

import pytest

from journeys.checks import check
from journeys.diagram import describe_entry
from journeys.documents import to_document
from journeys.findings import Finding
from journeys.model import Journey
from journeys.reading.reading import read_journey
from journeys.reading.wording import Language
from journeys.rules.others import Others
from journeys.segments import Segment, demand_askable, demand_known, segments_of, touched_by
from kit.errors import Invalid
from tests.support.journeys import journey


def entry_of(**entry: Any) -> Journey:
    return journey(entry=entry)


def condition(document: dict[str, Any]) -> Any:
    return Segment.model_validate({"key": "x", "name": "x", "condition": document}).condition


class TestTheEntry:
    def test_by_coming_into_a_segment_is_written_as_it_is_read(self) -> None:
        made = entry_of(segment={"entered": "vip", "backfill": "matching"})
        assert to_document(made)["entry"] == {"segment": {"entered": "vip", "backfill": "matching"}}
        assert (made.entry.trigger, made.entry.timed.key if made.entry.timed else "") == ("segment.entered", "segment")

    def test_by_leaving_one_has_the_other_event(self) -> None:
        assert entry_of(segment={"left": "vip"}).entry.trigger == "segment.left"

    def test_by_a_form_is_the_event_of_that_form_filtered_further(self) -> None:
        entry = entry_of(form="newsletter", where={"topic": "vinyl"}).entry
        assert entry.criterion is not None
        assert (entry.trigger, entry.criterion.where) == ("form.submitted", {"form": "newsletter", "topic": "vinyl"})

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            ({"segment": {}}, "Give `entered` or `left`."),
            ({"segment": {"entered": "a", "left": "b"}}, "Give `entered` or `left`."),
            ({"segment": {"left": "a", "backfill": "matching"}}, "Nobody can be told who has left the segment before."),
            ({"segment": {"entered": "a"}, "event": "x"}, "`event` and `segment` are different ways in."),
            ({"form": "a", "event": "x"}, "`event` and `form` are different ways in."),
            ({"form": "a", "where": {"form": "b"}}, "`form` says already which form it is."),
            ({"segment": {"entered": "a"}, "where": {"b": 1}}, "`where` filters an event, and there is none."),
        ],
    )
    def test_that_makes_no_sense_is_refused(self, entry: dict[str, Any], said: str) -> None:
        with pytest.raises((Invalid, ValueError), match=re.escape(said)):
            entry_of(**entry)

    @pytest.mark.parametrize(
        ("entry", "english", "german", "drawn"),
        [
            (
                {"segment": {"entered": "vip", "backfill": "matching"}},
                'A contact enters when it comes into the segment "vip"; who is in it at publication enters, too.',
                "wenn er in das Segment „vip“ kommt; wer beim Veröffentlichen darin ist, beginnt ebenfalls.",
                "enters the segment 'vip'",
            ),
            (
                {"segment": {"left": "vip"}},
                'A contact enters when it leaves the segment "vip".',
                "Ein Kontakt beginnt, wenn er das Segment „vip“ verlässt.",
                "leaves the segment 'vip'",
            ),
            (
                {"form": "newsletter"},
                "A contact enters when it submits the form newsletter.",
                "Ein Kontakt beginnt, wenn er das Formular „newsletter“ absendet.",
                "form 'newsletter' submitted",
            ),
            (
                {"event": "x", "audience": {"not": {"segment": "vip"}}},
                'A contact enters when x happens, provided that it is not so that the contact is in the segment "vip".',
                "Ein Kontakt beginnt, wenn das Ereignis „x“ eintritt, sofern der Kontakt nicht im Segment „vip“ ist.",
                "x; if not (in the segment 'vip')",
            ),
        ],
    )
    def test_is_told_in_words(self, entry: dict[str, Any], english: str, german: str, drawn: str) -> None:
        made = entry_of(**entry)
        assert english in read_journey(made, Language.ENGLISH)
        assert german in read_journey(made, Language.GERMAN)
        assert describe_entry(made.entry) == drawn


class TestUnknownSegments:
    NAMED: ClassVar[dict[str, Any]] = {
        "entry": {"segment": {"entered": "vip"}, "audience": {"not": {"segment": "banned"}}},
        "exit": [{"event": "segment.left", "where": {"segment": "vip"}}],
        "steps": [
            {"if": {"all": [{"segment": "pro"}]}, "then": [{"wait": "1d"}]},
            {"wait_for": {"event": "segment.entered", "where": {"segment": "loyal"}, "up_to": "1d"}},
        ],
    }

    def test_every_segment_a_journey_names_is_found_where_it_stands(self) -> None:
        assert set(segments_of(journey(**self.NAMED))) == {
            ("vip", ("entry", "segment", "entered")),
            ("banned", ("entry", "audience", "not", "segment")),
            ("vip", ("exit",)),
            ("pro", ("steps", 0, "if", "all", 0, "segment")),
            ("loyal", ("steps",)),
        }

    def test_one_that_does_not_exist_is_an_error_with_its_place(self) -> None:
        findings = self.findings("banned", "vipp", "loyal", "pro")
        assert [(one.problem.where, one.problem.what, one.problem.remedy) for one in findings] == [
            ("entry.segment.entered", "There is no segment 'vip'.", "Did you mean 'vipp'?"),
            ("exit", "There is no segment 'vip'.", "Did you mean 'vipp'?"),
        ]

    def test_its_words_and_those_of_an_audience_speak_of_no_entry(self) -> None:
        parts = [{"event": "order.placed", "within": "90d"}, {"none": {"event": "order.returned"}}]
        document = {"key": "pro", "name": "Pro", "condition": {"any": [{"all": parts}, {"not": parts[0]}]}}
        told = Segment.model_validate(document).in_words()
        assert "at least 1 order.placed within 90 days" in told
        assert "since" not in told
        entered = journey(entry={"event": "x", "audience": document["condition"]})
        for text in (read_journey(entered, Language.ENGLISH), read_journey(entered, Language.GERMAN)):
            assert not re.search("since entry|seit dem Eintritt", text)

    def test_without_knowing_which_there_are_nothing_is_said(self) -> None:
        assert not [one for one in check(journey(**self.NAMED), None) if one.rule == "unknown-segment"]

    def findings(self, *known: str) -> list[Finding]:
        found = check(journey(**self.NAMED), None, beside=Others(segments=frozenset(known)))
        return [one for one in found if one.rule == "unknown-segment"]


@pytest.mark.parametrize(
    ("document", "name", "properties", "touched"),
    [
        ({"event": "order.placed"}, "order.placed", {}, True),
        ({"event": "order.placed"}, "page.viewed", {}, False),
        ({"attribute": "address.city"}, "contact.updated", {"changed": ["address"]}, True),
        ({"attribute": "address.city"}, "contact.updated", {"changed": ["plan"]}, False),
        ({"attribute": "plan"}, "contact.updated", {}, False),
        ({"in_list": "vip"}, "list.left", {}, True),
        ({"segment": "vip"}, "segment.entered", {}, True),
        ({"score": {"model": "lead", "at_least": 1}}, "counted", {}, True),
        ({"score": {"model": "lead", "at_least": 1}}, "page.viewed", {}, False),
        ({"not": {"consent": {}}}, "contact.registered", {}, True),
    ],
)
def test_an_event_touches_a_condition_that_may_say_something_else_after_it(
    document: dict[str, Any], name: str, properties: dict[str, Any], *, touched: bool
) -> None:
    assert touched_by(condition(document), name, properties, scored=name == "counted") is touched


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"step": "paid.amount"}, "condition.step"),
        ({"result": {"step": "a", "is": "b"}}, "condition.result"),
        ({"event": "bought", "where": {"id": "$step.paid.id"}}, "condition.where.id"),
        ({"attribute": "plan", "is": {"one_of": ["a", "$step.paid.plan"]}}, "condition.is"),
    ],
)
def test_what_only_somebody_inside_a_journey_has_is_not_asked_of_a_set(document: dict[str, Any], where: str) -> None:
    with pytest.raises(Invalid) as refusal:
        demand_askable(condition(document))
    assert [problem.where for problem in refusal.value.problems] == [where]


def test_a_segment_asks_for_segments_and_points_models_that_there_are() -> None:
    asked = condition({"all": [{"segment": "vipp"}, {"not": {"score": {"model": "led", "at_least": 1}}}]})
    demand_known(asked, segments=["vipp"], models=["led"])
    with pytest.raises(Invalid) as refusal:
        demand_known(asked, segments=["vip"], models=["quality"])
    assert [str(problem) for problem in refusal.value.problems] == [
        "condition.all[0].segment: There is no segment 'vipp'. Did you mean 'vip'?",
        "condition.all[1].not.score.model: There is no points model 'led'. Publish it first, or name another one.",
    ]
