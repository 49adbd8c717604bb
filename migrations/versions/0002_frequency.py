"""Frequency: when a message counts as sent, and who waits for the cap."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('messages', sa.Column('counted_at', sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE messages SET counted_at = claimed_at WHERE claimed_at IS NOT NULL")
    op.create_index('ix_messages_contact_id_counted_at', 'messages', ['contact_id', 'counted_at'], unique=False)
    op.create_table('waiting_messages',
    sa.Column('enrollment_id', sa.Uuid(), nullable=False),
    sa.Column('step', sa.Text(), nullable=False),
    sa.Column('iteration', sa.Integer(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=False),
    sa.Column('priority', sa.Text(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('unsent', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_waiting_messages_contact_id_contacts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['enrollment_id'], ['enrollments.id'], name=op.f('fk_waiting_messages_enrollment_id_enrollments'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('enrollment_id', 'step', 'iteration', 'channel', name=op.f('pk_waiting_messages'))
    )
    op.create_index(op.f('ix_waiting_messages_contact_id'), 'waiting_messages', ['contact_id'], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index(op.f('ix_waiting_messages_contact_id'), table_name='waiting_messages')
    op.drop_table('waiting_messages')
    op.drop_index('ix_messages_contact_id_counted_at', table_name='messages')
    op.drop_column('messages', 'counted_at')
