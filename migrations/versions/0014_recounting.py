"""How far everybody's score has been counted again under a new version of a points model."""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('score_models', sa.Column('recounted_to', sa.Uuid(), nullable=True))
    op.add_column('score_models', sa.Column('recounted_at', sa.DateTime(timezone=True), nullable=True))
    # What is live by now was not published to be counted for everybody: nobody is told of anything by an upgrade.
    op.execute("UPDATE score_models SET recounted_at = now()")
    op.execute("""
        CREATE TRIGGER score_models_wakes AFTER INSERT ON score_models
        FOR EACH STATEMENT EXECUTE FUNCTION wake('entry_clocks')
    """)


def downgrade() -> None:
    op.execute("DROP TRIGGER score_models_wakes ON score_models")
    op.drop_column('score_models', 'recounted_at')
    op.drop_column('score_models', 'recounted_to')
