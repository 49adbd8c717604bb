"""The lines before providers whose pace is limited, and the turns promised in them."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('provider_lines',
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('promised', sa.DateTime(timezone=True), nullable=False),
    sa.Column('free', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('provider', name=op.f('pk_provider_lines'))
    )
    op.create_table('promised_turns',
    sa.Column('enrollment_id', sa.Uuid(), nullable=False),
    sa.Column('step', sa.Text(), nullable=False),
    sa.Column('iteration', sa.Integer(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('turn', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['enrollment_id'], ['enrollments.id'], name=op.f('fk_promised_turns_enrollment_id_enrollments'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('enrollment_id', 'step', 'iteration', 'channel', name=op.f('pk_promised_turns'))
    )


def downgrade() -> None:
    op.drop_table('promised_turns')
    op.drop_table('provider_lines')
