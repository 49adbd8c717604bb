"""Entries whose audience is judged again for a while."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('entry_refusals', sa.Column('retry_until', sa.DateTime(timezone=True), nullable=True))
    op.add_column('entry_refusals', sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        'ix_entry_refusals_retry',
        'entry_refusals',
        ['contact_id', 'retry_until'],
        unique=False,
        postgresql_where=sa.text('retry_until IS NOT NULL AND settled_at IS NULL'),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(
        'ix_entry_refusals_retry',
        table_name='entry_refusals',
        postgresql_where=sa.text('retry_until IS NOT NULL AND settled_at IS NULL'),
    )
    op.drop_column('entry_refusals', 'settled_at')
    op.drop_column('entry_refusals', 'retry_until')
