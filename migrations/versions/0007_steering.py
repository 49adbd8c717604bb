"""Steering running journeys: paused ones, orders for many enrollments at once, pinned templates, consents won."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('journeys', sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('journeys', sa.Column('paused_with', sa.BigInteger(), nullable=True))
    op.add_column('enrollments', sa.Column('paused_with', sa.BigInteger(), nullable=True))
    op.create_table('steerings',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('journey_key', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('step', sa.Text(), nullable=True),
    sa.Column('due_before', sa.DateTime(timezone=True), nullable=True),
    sa.Column('most', sa.Integer(), nullable=True),
    sa.Column('timers', sa.Text(), nullable=True),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('cursor', sa.Uuid(), nullable=True),
    sa.Column('ordered', sa.Integer(), server_default='0', nullable=False),
    sa.Column('carried', sa.Integer(), server_default='0', nullable=False),
    sa.Column('refused', sa.Integer(), server_default='0', nullable=False),
    sa.Column('gone', sa.Integer(), server_default='0', nullable=False),
    sa.Column('last_refusal', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('ordered_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['journey_key'], ['journeys.key'], name=op.f('fk_steerings_journey_key_journeys')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_steerings'))
    )
    op.create_index('ix_steerings_journey_key_id', 'steerings', ['journey_key', 'id'], unique=False)
    op.create_index('ix_steerings_open', 'steerings', ['id'], unique=False, postgresql_where=sa.text('ordered_at IS NULL'))
    op.add_column('journey_versions', sa.Column('won_consents', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column('journey_versions', sa.Column('needed_consents', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_table('template_pins',
    sa.Column('journey_key', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('template_key', sa.Text(), nullable=False),
    sa.Column('template_version', sa.Integer(), nullable=False),
    sa.Column('pinned_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['journey_key', 'version'], ['journey_versions.journey_key', 'journey_versions.version'], name='fk_template_pins_journey_key_version_journey_versions', ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('journey_key', 'version', 'template_key', name=op.f('pk_template_pins'))
    )
    # The same process orders both, page by page.
    op.execute("""
        CREATE TRIGGER steerings_wakes AFTER INSERT ON steerings
        FOR EACH STATEMENT EXECUTE FUNCTION wake('version_moves')
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP TRIGGER steerings_wakes ON steerings")
    op.drop_table('template_pins')
    op.drop_column('journey_versions', 'needed_consents')
    op.drop_column('journey_versions', 'won_consents')
    op.drop_index('ix_steerings_open', table_name='steerings', postgresql_where=sa.text('ordered_at IS NULL'))
    op.drop_index('ix_steerings_journey_key_id', table_name='steerings')
    op.drop_table('steerings')
    op.drop_column('enrollments', 'paused_with')
    op.drop_column('journeys', 'paused_with')
    op.drop_column('journeys', 'paused_at')
