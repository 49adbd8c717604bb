"""Test users, and their test runs of drafts beside the live enrollments."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

RUNNING = 'ended_at IS NULL AND tested_draft IS NULL'
TESTS = 'tested_draft IS NOT NULL'


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('contacts', sa.Column('test_address', sa.Text(), nullable=True))
    op.create_index(
        'ix_contacts_test_users', 'contacts', ['id'], postgresql_where=sa.text('test_address IS NOT NULL')
    )
    op.add_column('enrollments', sa.Column('tested_draft', sa.Integer(), nullable=True))
    op.drop_index('uq_enrollments_running', table_name='enrollments')
    op.create_index(
        'uq_enrollments_running',
        'enrollments',
        ['journey_key', 'contact_id', 'entry_key'],
        unique=True,
        postgresql_where=sa.text(RUNNING),
    )
    op.create_index(
        'ix_enrollments_test_runs', 'enrollments', ['contact_id', 'journey_key'], postgresql_where=sa.text(TESTS)
    )


def downgrade() -> None:
    # Without the column a test run would look like a live enrollment, so test runs go, and what was kept for them.
    op.execute('DELETE FROM outbox WHERE enrollment_id IN (SELECT id FROM enrollments WHERE tested_draft IS NOT NULL)')
    op.execute('DELETE FROM enrollments WHERE tested_draft IS NOT NULL')
    op.execute("DELETE FROM journey_versions WHERE state = 'test'")
    op.drop_index('ix_enrollments_test_runs', table_name='enrollments')
    op.drop_index('uq_enrollments_running', table_name='enrollments')
    op.create_index(
        'uq_enrollments_running',
        'enrollments',
        ['journey_key', 'contact_id', 'entry_key'],
        unique=True,
        postgresql_where=sa.text('ended_at IS NULL'),
    )
    op.drop_column('enrollments', 'tested_draft')
    op.drop_index('ix_contacts_test_users', table_name='contacts')
    op.drop_column('contacts', 'test_address')
