"""Who was let in by hand although they had been in the journey before; whether a points model tells of its recount; made-up vouchers of tests."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('enrollments', sa.Column('passed_over', sa.Text(), nullable=True))
    op.add_column('score_models', sa.Column('tells', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('vouchers', sa.Column('is_test', sa.Boolean(), server_default=sa.text('false'), nullable=False))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column('vouchers', 'is_test')
    op.drop_column('score_models', 'tells')
    op.drop_column('enrollments', 'passed_over')
