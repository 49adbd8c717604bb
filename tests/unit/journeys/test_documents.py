"""A journey and its document are the same thing."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from journeys.documents import DEEPEST, journey_from_document, to_document
from journeys.loader import load_journey
from journeys.schema import journey_schema
from kit.errors import Invalid
from tests.support.journeys import SMALL, documents, journey

VALIDATOR = jsonschema.Draft202012Validator(journey_schema())


@given(documents)
def test_a_journey_read_from_its_own_document_is_the_same_journey(document: dict[str, Any]) -> None:
    first = journey_from_document(document)
    assert journey_from_document(to_document(first)) == first


@settings(max_examples=40)
@given(documents)
def test_a_document_means_the_same_as_json_text_in_yaml(document: dict[str, Any]) -> None:
    written = to_document(journey_from_document(document))
    assert load_journey(json.dumps(written)) == journey_from_document(document)


@settings(max_examples=40)
@given(documents)
def test_what_the_model_reads_and_writes_the_published_schema_accepts(document: dict[str, Any]) -> None:
    VALIDATOR.validate(document)
    VALIDATOR.validate(to_document(journey_from_document(document)))


def test_a_document_leaves_out_what_is_the_default() -> None:
    assert to_document(journey()) == dict(SMALL)


@pytest.mark.parametrize(("written", "percent"), [(True, 5), (False, None), (10, 10), (None, None)])
def test_a_holdout_without_a_share_is_five_percent(written: Any, percent: int | None) -> None:
    document = {**SMALL, "holdout": written}
    VALIDATOR.validate(document)
    made = journey_from_document(document)
    assert made.holdout == percent
    assert to_document(made).get("holdout") == percent


@pytest.mark.parametrize("written", [0, 51, "5", 2.5])
def test_a_holdout_is_a_whole_percentage_of_at_most_half(written: Any) -> None:
    document = {**SMALL, "holdout": written}
    with pytest.raises(Invalid, match="holdout"):
        journey_from_document(document)
    assert not VALIDATOR.is_valid(document)


def test_places_without_a_source_are_field_paths() -> None:
    with pytest.raises(Invalid) as raised:
        journey_from_document({**SMALL, "steps": [{"wait": "1d"}, {"send": {"tmplate": "x"}}]})
    assert [problem.where for problem in raised.value.problems] == ["steps[1].send.tmplate"]


@pytest.mark.parametrize("document", [None, 3, "text", [], [SMALL]])
def test_a_document_that_is_no_object_is_refused_in_a_sentence(document: Any) -> None:
    with pytest.raises(Invalid) as raised:
        journey_from_document(document)
    assert str(raised.value.problems[0]) == (
        "the document: This is no journey. Write keys and values, such as `key: …`."
    )


def test_keys_are_those_of_the_language_and_not_the_names_in_the_code() -> None:
    with pytest.raises(Invalid) as raised:
        journey_from_document({**SMALL, "window": {"from_": "08:00"}})
    (problem,) = raised.value.problems
    assert problem.where == "window.from_"
    assert problem.remedy == "Did you mean `from`?"


def test_a_hostile_depth_is_refused_before_it_is_followed() -> None:
    deep: Any = {"attribute": "x"}
    for _ in range(50_000):
        deep = {"not": deep}
    with pytest.raises(Invalid, match=f"nested deeper than {DEEPEST} levels"):
        journey_from_document({**SMALL, "entry": {"event": "x", "audience": deep}})


def test_a_document_of_too_many_values_is_refused() -> None:
    with pytest.raises(Invalid, match="more than 20000 values"):
        journey_from_document({**SMALL, "steps": [{"wait": "1d"}] * 20_001})


@pytest.mark.parametrize("text", ["a\x00b", chr(0xD800), chr(0xDFFF)])
def test_a_text_that_no_database_keeps_is_refused_at_its_place(text: str) -> None:
    with pytest.raises(Invalid) as raised:
        journey_from_document({**SMALL, "steps": [{"set": {"note": text}}]})
    assert raised.value.problems[0].where == "steps[0].set.note"
    with pytest.raises(Invalid) as raised:
        journey_from_document({**SMALL, "steps": [{"set": {text: 1}}]})
    assert raised.value.problems[0].where == "steps[0].set"
