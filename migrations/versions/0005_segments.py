"""Segments: their definitions, who is in them, and when time alone may change that."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('segments',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('definition', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('swept_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_segments'))
    )
    op.create_table('segment_members',
    sa.Column('segment_key', sa.Text(), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('because', sa.Text(), nullable=False),
    sa.Column('cause_event_id', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_segment_members_contact_id_contacts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['segment_key'], ['segments.key'], name=op.f('fk_segment_members_segment_key_segments'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('segment_key', 'contact_id', name=op.f('pk_segment_members'))
    )
    op.create_index(op.f('ix_segment_members_contact_id'), 'segment_members', ['contact_id'], unique=False)
    op.create_table('segment_clocks',
    sa.Column('segment_key', sa.Text(), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_segment_clocks_contact_id_contacts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['segment_key'], ['segments.key'], name=op.f('fk_segment_clocks_segment_key_segments'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('segment_key', 'contact_id', name=op.f('pk_segment_clocks'))
    )
    op.create_index(op.f('ix_segment_clocks_contact_id'), 'segment_clocks', ['contact_id'], unique=False)
    op.create_index('ix_segment_clocks_due_at', 'segment_clocks', ['due_at'], unique=False)
    # Who keeps the clocks of entries keeps these, too.
    op.execute("""
        CREATE TRIGGER segment_clocks_wakes AFTER INSERT OR UPDATE OF due_at ON segment_clocks
        FOR EACH ROW WHEN (NEW.due_at < now() + interval '10 minutes') EXECUTE FUNCTION wake('entry_clocks')
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table('segment_clocks')
    op.drop_table('segment_members')
    op.drop_table('segments')
