"""Lifecycle stages of contacts with their history, and tasks for people."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('contacts', sa.Column('stage', sa.Text(), server_default='visitor', nullable=False))
    op.create_table('stage_changes',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=False),
    sa.Column('from_stage', sa.Text(), nullable=False),
    sa.Column('to_stage', sa.Text(), nullable=False),
    sa.Column('event_id', sa.Text(), nullable=False),
    sa.Column('enrollment_id', sa.Uuid(), nullable=True),
    sa.Column('cause_event_id', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_stage_changes_contact_id_contacts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stage_changes'))
    )
    op.create_index('ix_stage_changes_contact_id_id', 'stage_changes', ['contact_id', 'id'], unique=False)
    op.create_table('tasks',
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=False),
    sa.Column('enrollment_id', sa.Uuid(), nullable=False),
    sa.Column('journey_key', sa.Text(), nullable=False),
    sa.Column('step', sa.Text(), nullable=False),
    sa.Column('iteration', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('details', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('cancel_at_end', sa.Boolean(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), server_default='', nullable=False),
    sa.Column('done_by', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_tasks_contact_id_contacts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['enrollment_id'], ['enrollments.id'], name=op.f('fk_tasks_enrollment_id_enrollments'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tasks')),
    sa.UniqueConstraint('enrollment_id', 'step', 'iteration', name=op.f('uq_tasks_enrollment_id_step_iteration'))
    )
    op.create_index('ix_tasks_contact_id_id', 'tasks', ['contact_id', 'id'], unique=False)
    op.create_index('ix_tasks_owner_state_id', 'tasks', ['owner', 'state', 'id'], unique=False)
    # The shipped journeys kept the stage in a free attribute before there was a field for it.
    op.execute("""
        WITH moved AS (
            UPDATE contacts SET stage = attributes->>'lifecycle_stage', attributes = attributes - 'lifecycle_stage'
            WHERE attributes->>'lifecycle_stage' IN ('lead', 'mql', 'sql', 'opportunity', 'customer', 'evangelist')
            RETURNING id, stage
        )
        INSERT INTO stage_changes (contact_id, from_stage, to_stage, event_id, reason, actor, at)
        SELECT id, 'visitor', stage, '', 'taken over from the attribute lifecycle_stage', 'migration', now() FROM moved
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index('ix_tasks_owner_state_id', table_name='tasks')
    op.drop_index('ix_tasks_contact_id_id', table_name='tasks')
    op.drop_table('tasks')
    op.drop_index('ix_stage_changes_contact_id_id', table_name='stage_changes')
    op.drop_table('stage_changes')
    op.drop_column('contacts', 'stage')
