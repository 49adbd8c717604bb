"""Membership of the control group, kept per enrollment; and no column for what occurrence alone decides now."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column('enrollments', 'earlier_until')
    op.add_column(
        'enrollments', sa.Column('control_group', sa.Boolean(), server_default=sa.text('false'), nullable=False)
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column('enrollments', 'control_group')
    op.add_column('enrollments', sa.Column('earlier_until', sa.DateTime(timezone=True), nullable=True))
