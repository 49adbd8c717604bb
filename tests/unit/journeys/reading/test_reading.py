"""A journey in sentences: both languages have words for everything, and say what was written."""

from typing import Any

import pytest
from hypothesis import given, settings

from journeys.catalogue import catalogue
from journeys.conditions.registry import CONDITION_KINDS
from journeys.documents import journey_from_document
from journeys.entries import TimedEntry
from journeys.reading.reading import WORDINGS, read_journey
from journeys.reading.wording import Language
from journeys.steps.registry import STEP_KINDS
from tests.support.journeys import condition, documents, journey

LATE = {"de": "; wer zu spät kommt, geht sofort weiter", "en": "; who comes too late goes on at once"}


def of_one_step(step: dict[str, Any], language: Language) -> list[str]:
    """The lines a step is told in."""
    lines = read_journey(journey(steps=[step]), language).splitlines()
    return lines[lines.index(f"{WORDINGS[language].steps_title}:") + 1 : -1]


@pytest.mark.parametrize("language", Language)
def test_there_are_words_for_every_kind(language: Language) -> None:
    words = WORDINGS[language]
    assert set(words.steps) == set(STEP_KINDS)
    assert set(words.conditions) == set(CONDITION_KINDS)
    assert {kind.key for kind in TimedEntry.__subclasses__()} <= set(words.timed)


@settings(max_examples=60, deadline=None)
@given(documents)
def test_every_journey_can_be_read_in_every_language(document: dict[str, Any]) -> None:
    made = journey_from_document(document)
    for language in Language:
        text = read_journey(made, language)
        words, thanks = WORDINGS[language], made.goal is not None and made.goal.then
        assert text.endswith(f"{words.goal_complete if thanks else words.complete}.\n")
        assert "None" not in text or "None" in str(document)
        assert all(line.isprintable() for line in text.split("\n"))


def test_that_an_audience_is_judged_again_is_told_in_both_languages() -> None:
    made = journey(entry={"event": "order.placed", "audience": {"attribute": "plan", "is": "pro"}, "retry": "30m"})
    assert "Where that does not hold yet, it is asked again at each change of the contact for 30 minutes.\n" in (
        read_journey(made, Language.ENGLISH)
    )
    assert "Trifft das noch nicht zu, wird es 30 Minuten lang bei jeder Änderung des Kontakts erneut geprüft.\n" in (
        read_journey(made, Language.GERMAN)
    )


def test_that_a_sample_enters_at_publication_is_told_in_both_languages() -> None:
    made = journey(entry={"segment": {"entered": "vip", "backfill": {"sample": 5}}})
    assert "; 5 % of those who are in it at publication enter, too." in read_journey(made, Language.ENGLISH)
    assert "; 5 % derer, die beim Veröffentlichen darin sind, beginnen ebenfalls." in (
        read_journey(made, Language.GERMAN)
    )


def test_that_only_so_many_enter_is_told_in_both_languages() -> None:
    made = journey(entry={"event": "order.placed", "at_most": 200})
    assert "\nAt most 200 enter in all.\n" in read_journey(made, Language.ENGLISH)
    assert "\nInsgesamt gibt es höchstens 200 Einstiege.\n" in read_journey(made, Language.GERMAN)


def test_that_a_condition_ends_it_is_told_in_both_languages() -> None:
    made = journey(exit_when={"any": [{"attribute": "plan", "is": "pro"}, {"in_list": "staff"}]})
    assert (
        "\nEin Kontakt verlässt die Journey, sobald das Merkmal „plan“ des Kontakts „pro“ ist oder der Kontakt auf der "
        "Liste „staff“ steht.\n" in read_journey(made, Language.GERMAN)
    )
    assert (
        '\nA contact leaves as soon as the contact\'s plan is "pro" or the contact is on the list "staff".\n'
        in read_journey(made, Language.ENGLISH)
    )


@pytest.mark.parametrize("language", Language)
def test_every_shipped_journey_can_be_read(language: Language) -> None:
    for made in catalogue():
        text = read_journey(made, language)
        assert text.startswith(made.name), made.key
        assert "\n1. " in text, made.key


@pytest.mark.parametrize(
    ("step", "german", "english"),
    [
        ({"wait": "1d"}, "1 Tag warten", "Wait 1 day"),
        (
            {"approve": {"by": "sales", "up_to": "3d", "question": "Grant the discount?"}},
            "Von sales entscheiden lassen, innerhalb von 3 Tagen: Grant the discount?",
            "Have sales decide, within 3 days: Grant the discount?",
        ),
        (
            {"split": {"experiment": "length", "arms": {"long": {"share": 60}, "short": {"share": 40}}}},
            "Die Kontakte für das Experiment „length“ aufteilen: 60 % „long“, 40 % „short“",
            'Split the contacts for the experiment "length": 60 % "long", 40 % "short"',
        ),
        (
            {"send": {"template": "gift", "voucher": {"pool": "welcome", "valid": "30d"}}},
            "„gift“ per E-Mail senden, mit einem Gutschein aus „welcome“, 30 Tage gültig",
            'Send "gift" by email, with a voucher of "welcome", valid for 30 days',
        ),
        (
            {"send": {"template": "gift", "voucher": {"of": "earlier"}}},
            "„gift“ per E-Mail senden, zum Gutschein aus „earlier“",
            'Send "gift" by email, about the voucher of "earlier"',
        ),
        ({"wait": "1d 12h"}, "1 Tag und 12 Stunden warten", "Wait 1 day and 12 hours"),
        ({"wait": "1 day at 09:00"}, "Warten bis zum nächsten Tag, 09:00 Uhr", "Wait until 09:00 on the next day"),
        (
            {"wait": "3 months at 09:00"},
            "Warten bis zum Tag 3 Monate später, 09:00 Uhr",
            "Wait until 09:00 on the day 3 months later",
        ),
        (
            {"wait": "next_window"},
            "Warten, bis Nachrichten versendet werden dürfen",
            "Wait until messages may leave",
        ),
        (
            {"wait": {"best_time": {"from": "08:00", "to": "20:00", "otherwise": "10:00"}}},
            (
                "Bis zur besten Uhrzeit des Kontakts zwischen 08:00 und 20:00 Uhr warten; "
                "10:00 Uhr, wenn zu wenig bekannt ist"
            ),
            "Wait until the contact's best time between 08:00 and 20:00; 10:00 where too little is known",
        ),
        (
            {"wait": {"best_time": {"otherwise": "10:00", "in_window": True}}},
            (
                "Bis zur besten Uhrzeit des Kontakts warten, zu der Nachrichten versendet werden dürfen; "
                "10:00 Uhr, wenn zu wenig bekannt ist"
            ),
            "Wait until the contact's best time at which messages may leave; 10:00 where too little is known",
        ),
        (
            {"wait": {"until": "2026-12-24 18:00", "late": "now"}},
            "Bis zum 24. Dezember 2026 um 18:00 Uhr warten" + LATE["de"],
            "Wait until 24 December 2026, 18:00" + LATE["en"],
        ),
        (
            {"wait": {"before": "1 day", "date": "$entry.starts_at", "at": "09:00", "late": "now"}},
            "Warten bis 1 Tag vor dem Datum „starts_at“ des Einstiegs, 09:00 Uhr" + LATE["de"],
            "Wait until 1 day before starts_at of the entry, 09:00" + LATE["en"],
        ),
        (
            {
                "wait": {
                    "after": "3 months",
                    "date": "$entry",
                    "at": "09:00",
                    "late": "now",
                    "moved_by": {"event": "conversation.ended"},
                }
            },
            "Warten bis 3 Monate nach dem Einstieg oder dem letzten „conversation.ended“ seither, 09:00 Uhr"
            + LATE["de"],
            "Wait until 3 months after the entry or the last conversation.ended since, 09:00" + LATE["en"],
        ),
        (
            {"wait": {"after": "1 week", "date": "$entry", "late": "now"}},
            "Warten bis 1 Woche nach dem Einstieg" + LATE["de"],
            "Wait until 1 week after the entry" + LATE["en"],
        ),
        (
            {"wait": {"on": "$contact.birthday", "yearly": True, "late": "now"}},
            "Warten bis zum nächsten Jahrestag des Datums „birthday“ des Kontakts" + LATE["de"],
            "Wait until the next return of birthday of the contact" + LATE["en"],
        ),
        (
            {"wait_for": {"event": "page.viewed", "where": {"amount": {"at_least": 10}}, "up_to": "2d"}},
            "Auf das Ereignis „page.viewed“ (amount: mindestens 10) warten, höchstens 2 Tage",
            "Wait for page.viewed (amount: at least 10), 2 days at most",
        ),
        (
            {"wait_for": {"condition": {"in_list": "vip"}, "up_to": "1d"}},
            "Warten, bis der Kontakt auf der Liste „vip“ steht, höchstens 1 Tag",
            'Wait until the contact is on the list "vip", 1 day at most',
        ),
        ({"send": {"template": "voucher"}}, "„voucher“ per E-Mail senden", 'Send "voucher" by email'),
        (
            {"set": {"group": "loyal", "old": None}},
            "Beim Kontakt „group“ auf „loyal“ setzen und „old“ entfernen",
            'Set the contact\'s group to "loyal" and remove old',
        ),
        (
            {"list": {"add": "vip"}},
            "Den Kontakt auf die Liste „vip“ setzen",
            'Add the contact to the list "vip"',
        ),
        (
            {"list": {"remove": "vip"}},
            "Den Kontakt von der Liste „vip“ nehmen",
            'Remove the contact from the list "vip"',
        ),
        (
            {"stage": "lead"},
            "Den Kontakt auf die Stufe „Lead“ setzen, nie zurück",
            'Move the contact to the stage "lead", never backward',
        ),
        (
            {"stage": {"to": "lead", "recycle": True, "reason": "Rejected."}},
            "Den Kontakt auf die Stufe „Lead“ setzen, auch zurück: Rejected",
            'Move the contact to the stage "lead", backward too: Rejected',
        ),
        (
            {"task": {"title": "Call", "for": "sales", "due": "2d"}},
            "Aufgabe für „sales“: „Call“, fällig innerhalb von 2 Tagen",
            'Give sales the task "Call", due within 2 days',
        ),
        (
            {"task": {"title": "Write", "due": "1 day at 09:00", "at_end": "cancel"}},
            (
                "Aufgabe für die Verantwortlichen der Journey: „Write“, fällig am nächsten Tag, 09:00 Uhr; "
                "endet die Journey vorher, entfällt sie"
            ),
            'Give the journey\'s owner the task "Write", due 09:00 on the next day, cancelled when the journey ends',
        ),
        (
            {"task": {"title": "Write", "due": "next_window"}},
            "Aufgabe für die Verantwortlichen der Journey: „Write“, fällig, sobald Nachrichten versendet werden dürfen",
            'Give the journey\'s owner the task "Write", due when messages may leave next',
        ),
        (
            {"score": {"model": "lead", "add": 10, "reason": "Came."}},
            "Dem Kontakt nach dem Punktemodell „lead“ 10 Punkte geben: Came",
            'Give the contact 10 points under "lead": Came',
        ),
        (
            {"score": {"model": "lead", "add": -5, "reason": "Left."}},
            "Dem Kontakt nach dem Punktemodell „lead“ 5 Punkte abziehen: Left",
            'Take 5 points from the contact under "lead": Left',
        ),
        (
            {"recompute_score": "purchases"},
            "Die Punkte nach dem Punktemodell „purchases“ neu berechnen",
            'Compute the points under "purchases" anew',
        ),
        ({"exit": "no customer"}, "Die Journey verlassen: no customer", "Leave the journey: no customer"),
        (
            {"send": {"template": "voucher"}, "expires_after": "12h"},
            "„voucher“ per E-Mail senden. Entfällt, wenn es mehr als 12 Stunden zu spät ist",
            'Send "voucher" by email. Left out where it comes more than 12 hours late',
        ),
    ],
    ids=str,
)
def test_a_step_reads_as_what_it_does(step: dict[str, Any], german: str, english: str) -> None:
    for language, told in ((Language.GERMAN, german), (Language.ENGLISH, english)):
        assert of_one_step(step, language) == [f"1. {told}" + ("" if told.endswith("?") else ".")]


@pytest.mark.parametrize(
    ("document", "german", "english"),
    [
        (
            {"event": "order.placed", "within": "30d", "since": "ever"},
            "in den letzten 30 Tagen das Ereignis „order.placed“ eingetreten ist",
            "order.placed has happened in the last 30 days",
        ),
        (
            {"event": "x", "at_least": 2, "within": "1d"},
            "seit dem Einstieg innerhalb von einem Tag das Ereignis „x“ mindestens 2-mal eingetreten ist",
            "x has happened at least 2 times since entry in the last 1 day",
        ),
        (
            {"event": "x", "at_least": 1, "at_most": 1, "since": "step"},
            "seit Beginn dieses Schritts das Ereignis „x“ genau 1-mal eingetreten ist",
            "x has happened exactly 1 time since this step began",
        ),
        (
            {"none": {"event": "review.created", "where": {"product_id": "$entry.product_id"}}},
            "seit dem Einstieg kein Ereignis „review.created“ (product_id: wie beim Einstieg) eingetreten ist",
            "review.created (product_id: as at entry) has not happened since entry",
        ),
        (
            {"attribute": "country", "is": {"one_of": ["DE", "AT", "CH"]}},
            "das Merkmal „country“ des Kontakts „DE“, „AT“ oder „CH“ ist",
            'the contact\'s country is one of "DE", "AT" or "CH"',
        ),
        (
            {"attribute": "first_name", "is": {"exists": False}},
            "das Merkmal „first_name“ des Kontakts nicht vorhanden ist",
            "the contact's first_name is not given",
        ),
        (
            {"entry": "amount", "is": {"at_least": 10, "at_most": 49.5}},
            "die Angabe „amount“ des Einstiegs mindestens 10 und höchstens 49,5 ist",
            "amount of the entry is at least 10 and at most 49.5",
        ),
        (
            {"consent": {"purpose": "sales"}},
            "die Einwilligung in Ansprache durch den Vertrieb per E-Mail vorliegt",
            "the contact's consent to contact by sales by email stands",
        ),
        (
            {"not": {"in_list": "vip"}},
            "der Kontakt nicht auf der Liste „vip“ steht",
            'it is not so that the contact is on the list "vip"',
        ),
        (
            {"not": {"consent": {}}},
            "keine Einwilligung in Werbung per E-Mail vorliegt",
            "it is not so that the contact's consent to marketing by email stands",
        ),
        (
            {"score": {"model": "purchases", "at_least": 60}},
            "der Kontakt nach dem Punktemodell „purchases“ mindestens 60 Punkte hat",
            'the contact has at least 60 points under "purchases"',
        ),
        (
            {"result": {"step": "asked", "is": "timed_out"}},
            "der Schritt „asked“ mit dem Ergebnis „timed_out“ geendet hat",
            'the step "asked" ended with "timed_out"',
        ),
        (
            {"any": [{"in_list": "a"}, {"all": [{"in_list": "b"}, {"not": {"in_list": "c"}}]}]},
            (
                "der Kontakt auf der Liste „a“ steht oder "
                "(der Kontakt auf der Liste „b“ steht und der Kontakt nicht auf der Liste „c“ steht)"
            ),
            (
                'the contact is on the list "a" or '
                '(the contact is on the list "b" and it is not so that the contact is on the list "c")'
            ),
        ),
    ],
    ids=str,
)
def test_a_condition_reads_as_what_it_asks(document: dict[str, Any], german: str, english: str) -> None:
    asked = condition(document)
    assert WORDINGS[Language.GERMAN].clause(asked) == german
    assert WORDINGS[Language.ENGLISH].clause(asked) == english


def test_the_frame_of_a_journey_is_told() -> None:
    made = journey(
        entry={"event": "order.placed", "audience": {"in_list": "vip"}, "again": {"cooldown": "90d"}},
        goal={"type": "save", "event": "order.placed", "within": "1d"},
        exit=[{"event": "order.refunded"}],
        window={"days": "mon-fri,sun", "from": "08:00", "to": "20:00", "holidays": True},
    )
    german = read_journey(made, Language.GERMAN)
    for sentence in (
        "Ein Kontakt beginnt, wenn das Ereignis „order.placed“ eintritt, sofern der Kontakt auf der Liste „vip“ steht.",
        "Wer die Journey verlassen hat, kann frühestens nach 90 Tagen erneut beginnen.",
        "Ziel (halten): das Ereignis „order.placed“ innerhalb von einem Tag nach dem Einstieg.",
        "Ein Kontakt verlässt die Journey sofort, wenn das Ereignis „order.refunded“ eintritt.",
        "gehen montags bis freitags und sonntags von 08:00 bis 20:00 Uhr hinaus",
    ):
        assert sentence in german, sentence
    english = read_journey(made, Language.ENGLISH)
    assert "Who has left may enter again after 90 days." in english
    assert "leave Monday to Friday and Sunday from 08:00 to 20:00" in english


def test_the_spread_of_a_window_is_told() -> None:
    made = journey(window={"days": "sat,sun", "spread": "30m"})
    german, english = (read_journey(made, language) for language in (Language.GERMAN, Language.ENGLISH))
    assert "in der Zeitzone des Kontakts; was bis dahin warten muss, geht über 30 Minuten verteilt hinaus." in german
    assert "in the contact's own time zone; those held back until then leave spread over 30 minutes." in english


def test_the_spread_of_a_broadcast_is_told() -> None:
    made = journey(entry={"broadcast": {"at": "2026-12-01 10:00", "spread": "2h"}})
    german, english = (read_journey(made, language) for language in (Language.GERMAN, Language.ENGLISH))
    assert "nach der Uhr an ihrem Ort, über 2 Stunden verteilt." in german
    assert "on the clock where each of them lives, spread over 2 hours." in english


def test_the_stages_a_journey_is_for_are_told() -> None:
    made = journey(stages=["lead", "customer"])
    assert "Sie ist für Kontakte auf der Stufe Lead oder Kunde." in read_journey(made, Language.GERMAN)
    assert "It is for contacts in the stage lead or customer." in read_journey(made, Language.ENGLISH)


@pytest.mark.parametrize(
    ("asked", "german", "english"),
    [
        ({"is": "customer"}, "die Stufe des Kontakts „Kunde“ ist", 'the contact\'s stage is "customer"'),
        (
            {"at_least": "mql", "at_most": "opportunity"},
            "die Stufe des Kontakts mindestens „Lead fürs Marketing (MQL)“ und höchstens „Verkaufschance“ ist",
            'the contact\'s stage is at least "marketing-qualified lead" and at most "opportunity"',
        ),
        (
            {"one_of": ["lead", "evangelist"]},
            "die Stufe des Kontakts „Lead“ oder „Fürsprecher“ ist",
            'the contact\'s stage is "lead" or "evangelist"',
        ),
    ],
)
def test_a_condition_on_the_stage_reads_as_what_it_asks(asked: dict[str, Any], german: str, english: str) -> None:
    made = condition({"stage": asked})
    assert WORDINGS[Language.GERMAN].clause(made) == german
    assert WORDINGS[Language.ENGLISH].clause(made) == english


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (Language.ENGLISH, "Contacts without a known time zone are taken to live in Europe/Vienna.\n"),
        (Language.GERMAN, "Für Kontakte ohne bekannte Zeitzone gilt Europe/Vienna.\n"),
    ],
)
def test_the_zone_of_contacts_without_one_is_told(language: Language, told: str) -> None:
    assert told in read_journey(journey(time_zone="Europe/Vienna"), language)


def test_silence_and_dates_as_entries_are_told() -> None:
    calendar = journey(entry={"absence": {"of": "order.placed", "for": "3 months"}})
    assert "when order.placed has not happened for 3 months" in read_journey(calendar, Language.ENGLISH)
    assert "wenn seit 3 Monaten kein Ereignis" in read_journey(calendar, Language.GERMAN)
    made = journey(entry={"absence": {"of": ["order.placed", "page.viewed"], "for": "90d"}})
    assert (
        "Ein Kontakt beginnt, wenn seit 90 Tagen kein Ereignis „order.placed“ oder „page.viewed“ eingetreten ist."
        in read_journey(made, Language.GERMAN)
    )
    assert "A contact enters when order.placed or page.viewed has not happened for 90 days." in read_journey(
        made, Language.ENGLISH
    )


def test_nested_steps_are_numbered_below_their_step() -> None:
    step = {
        "branch": [
            {"name": "vip", "if": {"in_list": "vip"}, "then": [{"wait": "1d"}, {"exit": "a"}]},
            {"if": {"in_list": "b"}, "then": []},
        ],
        "else": [{"if": {"in_list": "c"}, "then": [{"exit": "c"}]}],
    }
    assert of_one_step(step, Language.GERMAN) == [
        "1. Den ersten Weg nehmen, der zutrifft:",
        "   Wenn der Kontakt auf der Liste „vip“ steht („vip“):",
        "      1.1. 1 Tag warten.",
        "      1.2. Die Journey verlassen: a.",
        "   Wenn der Kontakt auf der Liste „b“ steht: weitergehen.",
        "   Für alle anderen:",
        "      1.3. Prüfen, ob der Kontakt auf der Liste „c“ steht:",
        "         Wenn ja:",
        "            1.3.1. Die Journey verlassen: c.",
    ]


def test_what_is_repeated_is_told_with_how_often() -> None:
    step = {"repeat": {"times": 3, "until": {"in_list": "vip"}, "steps": [{"wait": "1d"}]}}
    assert of_one_step(step, Language.GERMAN) == [
        "1. Wiederholen, bis der Kontakt auf der Liste „vip“ steht, höchstens 3-mal:",
        "   Jedes Mal:",
        "      1.1. 1 Tag warten.",
    ]
    assert (
        of_one_step(step, Language.ENGLISH)[0] == '1. Do this 3 times at most, until the contact is on the list "vip":'
    )


def test_several_things_waited_for_are_told_one_by_one() -> None:
    first_of = [
        {"name": "bought", "event": "order.placed", "then": [{"exit": "bought"}]},
        {"condition": {"in_list": "vip"}, "then": [{"exit": "vip"}]},
    ]
    step = {"wait_for": {"first_of": first_of, "up_to": "3d"}, "else": [{"exit": "nothing"}]}
    assert of_one_step(step, Language.ENGLISH) == [
        "1. Wait for the first of these, 3 days at most:",
        '   If order.placed comes ("bought"):',
        "      1.1. Leave the journey: bought.",
        '   If the contact is on the list "vip":',
        "      1.2. Leave the journey: vip.",
        "   If the time passes without it:",
        "      1.3. Leave the journey: nothing.",
    ]


def test_the_groups_of_a_comparison_and_the_reach_of_the_goal_are_told() -> None:
    goal = {"type": "sell", "event": "order.placed", "exit": False, "met_before": "90d"}
    made = journey(goal=goal, holdout=5)
    english = read_journey(made, Language.ENGLISH)
    assert (
        "It is counted, and nobody leaves by it; who has reached it before within 90 days does not enter.\n" in english
    )
    assert "5 % are held out: they pass through without marketing and sales messages.\n" in english
    german = read_journey(made, Language.GERMAN)
    assert "wer es in den 90 Tagen davor erreicht hat, steigt nicht ein.\n" in german
    assert "5 % bilden die Kontrollgruppe" in german


def test_how_often_a_contact_is_written_to_is_told_where_the_journey_says_so() -> None:
    def mail(**said: str) -> dict[str, Any]:
        return {"send": {"template": "voucher", **said}}

    steps = [mail(repeat="never"), mail(repeat="30d", cap="defer"), mail(repeat="always", cap="skip")]
    made = journey(priority="high", cap="skip", steps=steps)
    english = read_journey(made, Language.ENGLISH)
    for sentence in (
        "Where several wait for the frequency cap, its messages go first.\n",
        "At the frequency cap its messages are left out.\n",
        '1. Send "voucher" by email, only once ever to a contact.\n',
        '2. Send "voucher" by email, not within 30 days of the last time; at the frequency cap it waits.\n',
        '3. Send "voucher" by email, even where it was sent just before; at the frequency cap it is left out.\n',
    ):
        assert sentence in english
    german = read_journey(made, Language.GERMAN)
    for sentence in (
        "Warten mehrere auf das Frequenzlimit, gehen ihre Nachrichten vor.\n",
        "Am Frequenzlimit entfallen ihre Nachrichten.\n",
        "senden, jedem Kontakt nur einmal.\n",
        "senden, nicht innerhalb von 30 Tagen nach dem letzten Mal; am Frequenzlimit wartet die Nachricht.\n",
        "senden, auch kurz nach dem letzten Mal; am Frequenzlimit entfällt die Nachricht.\n",
    ):
        assert sentence in german
    assert "its messages let others go first" in read_journey(journey(priority="low"), Language.ENGLISH)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            Language.ENGLISH,
            [
                "While the send window is closed, and in the contact's quiet hours, its messages are left out.\n",
                '1. Send "voucher" by email; at a closed window it waits.\n',
                '2. Send "voucher" by email; at the frequency cap it waits; at a closed window it is left out.\n',
            ],
        ),
        (
            Language.GERMAN,
            [
                "Bei geschlossenem Versandfenster und in den Ruhezeiten des Kontakts entfallen ihre Nachrichten.\n",
                "senden; bei geschlossenem Versandfenster wartet die Nachricht.\n",
                "wartet die Nachricht; bei geschlossenem Versandfenster entfällt die Nachricht.\n",
            ],
        ),
    ],
)
def test_what_becomes_of_messages_at_a_closed_window_is_told_where_the_journey_says_so(
    language: Language, told: list[str]
) -> None:
    steps = [{"send": {"template": "voucher", "closed": "defer"}}]
    steps += [{"send": {"template": "voucher", "cap": "defer", "closed": "skip"}}]
    text = read_journey(journey(closed="skip", steps=steps), language)
    assert [sentence for sentence in told if sentence not in text] == []
    assert "quiet hours" not in read_journey(journey(closed="defer"), Language.ENGLISH)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (Language.ENGLISH, ["If a comes: go on.", 'If the contact is on the list "vip": go on.']),
        (
            Language.GERMAN,
            [
                "Wenn das Ereignis „a“ eintritt: weitergehen.",
                "Wenn der Kontakt auf der Liste „vip“ steht: weitergehen.",
            ],
        ),
    ],
)
def test_an_alternative_without_steps_is_told_as_well(language: Language, told: list[str]) -> None:
    first = {"first_of": [{"event": "a"}, {"event": "b", "then": [{"exit": "b"}]}], "up_to": "1d"}
    waits = of_one_step({"wait_for": first, "else": [{"exit": "late"}]}, language)
    chooses = of_one_step({"branch": [{"if": {"in_list": "vip"}}], "else": [{"exit": "others"}]}, language)
    assert [waits[1].strip(), chooses[1].strip()] == told


def test_the_steps_for_whoever_meets_the_goal_stand_apart_and_go_on_in_number() -> None:
    goal = {"type": "sell", "event": "order.placed", "then": [{"send": {"template": "thanks"}}, {"wait": "1d"}]}
    made = journey(goal=goal, steps=[{"wait": "3d"}, {"send": {"template": "tips"}}])
    english, german = (read_journey(made, language) for language in (Language.ENGLISH, Language.GERMAN))
    assert "goes on at once with the steps for that, wherever it is, and leaves behind them." in english
    assert english.split("Then the journey is complete.")[1].splitlines() == [
        "",
        "",
        "Who reaches the goal:",
        '3. Send "thanks" by email.',
        "4. Wait 1 day.",
        "Then the contact leaves, its goal reached.",
    ]
    assert "Wer es erreicht, macht von überall sofort mit den Schritten dafür weiter" in german
    assert german.split("Damit ist die Journey abgeschlossen.")[1].splitlines()[2] == "Wer das Ziel erreicht:"


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["what belongs to it is left out; who comes too late goes on at once", "Without that date:"]),
        ("de", ["entfällt, was dazu gehört; wer zu spät kommt, geht sofort weiter", "Ohne dieses Datum:"]),
    ],
)
def test_where_the_late_go_on_at_once_those_without_the_date_are_not_taken_for_late(
    language: Language, told: list[str]
) -> None:
    wait = {"on": "$contact.birthday", "late": "now", "missing": "skip"}
    step = {"wait": wait, "then": [{"send": {"template": "a"}}], "else": [{"send": {"template": "b"}}]}
    text = "\n".join(of_one_step(step, Language(language)))
    assert [words in text for words in told] == [True, True]
