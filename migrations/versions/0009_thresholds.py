"""Thresholds that a score has risen to and not fallen back from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('scores', sa.Column('reached', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False))


def downgrade() -> None:
    op.drop_column('scores', 'reached')
