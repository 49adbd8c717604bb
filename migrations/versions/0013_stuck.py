"""What is stuck: found along indexes, told once, repaired for many at once."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('stuck_findings',
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('enrollment_id', sa.Uuid(), nullable=True),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('detail', sa.Text(), server_default='', nullable=False),
    sa.Column('noticed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['enrollment_id'], ['enrollments.id'], name=op.f('fk_stuck_findings_enrollment_id_enrollments'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('subject', name=op.f('pk_stuck_findings')),
    sa.UniqueConstraint('enrollment_id', name=op.f('uq_stuck_findings_enrollment_id'))
    )
    op.create_index('ix_stuck_findings_checked_at', 'stuck_findings', ['checked_at', 'subject'], unique=False)
    op.create_table('stuck_watch',
    sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('looked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_seen_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('alerted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stuck_watch'))
    )
    op.create_index('ix_enrollments_due', 'enrollments', ['due_at', 'id'], unique=False, postgresql_where=sa.text("ended_at IS NULL AND state = 'waiting'"))
    op.create_index('ix_enrollments_moving', 'enrollments', ['since', 'id'], unique=False, postgresql_where=sa.text("ended_at IS NULL AND state IN ('starting', 'running', 'needs_attention')"))
    op.create_index('ix_outbox_failing', 'outbox', ['created_at', 'enrollment_id'], unique=False, postgresql_where=sa.text('attempts > 0'))
    op.add_column('steerings', sa.Column('parked', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.add_column('steerings', sa.Column('attention', sa.Text(), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_column('steerings', 'attention')
    op.drop_column('steerings', 'parked')
    op.drop_index('ix_outbox_failing', table_name='outbox', postgresql_where=sa.text('attempts > 0'))
    op.drop_index('ix_enrollments_moving', table_name='enrollments', postgresql_where=sa.text("ended_at IS NULL AND state IN ('starting', 'running', 'needs_attention')"))
    op.drop_index('ix_enrollments_due', table_name='enrollments', postgresql_where=sa.text("ended_at IS NULL AND state = 'waiting'"))
    op.drop_table('stuck_watch')
    op.drop_index('ix_stuck_findings_checked_at', table_name='stuck_findings')
    op.drop_table('stuck_findings')
