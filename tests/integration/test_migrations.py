"""The migrations make exactly the tables of the models, and can be taken back."""

import psycopg
from alembic import command

from tests.support.postgres import alembic_config


def _tables(database_url: str) -> set[str]:
    query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    with psycopg.connect(database_url) as connection:
        return {name for (name,) in connection.execute(query)}


def test_the_models_and_the_migrated_schema_do_not_differ(database_url: str) -> None:
    """`alembic check` raises where autogenerate would find something to do."""
    command.check(alembic_config(database_url))


def test_the_schema_can_be_taken_back_to_nothing_and_made_again(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)

    command.upgrade(config, "head")
    made = _tables(empty_database_url)
    command.downgrade(config, "base")

    assert {"contacts", "events", "enrollments", "outbox"} < made
    assert _tables(empty_database_url) == {"alembic_version"}

    command.upgrade(config, "head")

    assert _tables(empty_database_url) == made
    command.check(config)


def test_functions_and_triggers_leave_with_the_schema(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)

    command.upgrade(config, "head")
    command.downgrade(config, "base")

    query = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute(query).fetchone() == (0,)


def test_messages_sent_before_the_frequency_cap_are_counted_from_their_claim(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)
    command.upgrade(config, "0001")
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("SET session_replication_role = replica")  # nothing a message refers to is needed here
        connection.execute(
            "INSERT INTO messages "
            "(enrollment_id, step, iteration, channel, contact_id, template_key, state, claimed_at) "
            "SELECT uuidv7(), 'mail', 1, 'email', uuidv7(), 'voucher', 'handed_over', claimed_at "
            "FROM unnest(ARRAY[NULL, '2026-06-02 10:00+00'::timestamptz]) AS claims (claimed_at)"
        )
    command.upgrade(config, "head")
    with psycopg.connect(empty_database_url) as connection:
        query = "SELECT count(*), count(counted_at), bool_and(counted_at IS NOT DISTINCT FROM claimed_at) FROM messages"
        assert connection.execute(query).fetchone() == (2, 1, True)


def test_the_stage_that_shipped_journeys_kept_as_an_attribute_is_taken_over(empty_database_url: str) -> None:
    config = alembic_config(empty_database_url)
    command.upgrade(config, "0001")
    kept = ('{"lifecycle_stage": "lead", "plan": "pro"}', '{"lifecycle_stage": "friend"}', "{}")
    with psycopg.connect(empty_database_url) as connection:
        for attributes in kept:
            connection.execute("INSERT INTO contacts (attributes) VALUES (%s)", (attributes,))

    command.upgrade(config, "head")

    with psycopg.connect(empty_database_url) as connection:
        contacts = connection.execute("SELECT stage, attributes FROM contacts ORDER BY id").fetchall()
        history = connection.execute("SELECT from_stage, to_stage, actor FROM stage_changes").fetchall()
    assert contacts == [("lead", {"plan": "pro"}), ("visitor", {"lifecycle_stage": "friend"}), ("visitor", {})]
    assert history == [("visitor", "lead", "migration")]
