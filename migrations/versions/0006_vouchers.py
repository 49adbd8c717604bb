"""Vouchers: the pools they come from, and each code with what became of it."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A migration that cannot get its lock quickly gives up instead of queueing every other query behind it.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('voucher_pools',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('imported', sa.Boolean(), nullable=False),
    sa.Column('prefix', sa.Text(), nullable=True),
    sa.Column('most', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_voucher_pools'))
    )
    op.create_table('vouchers',
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('pool_key', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('contact_id', sa.Uuid(), nullable=True),
    sa.Column('enrollment_id', sa.Uuid(), nullable=True),
    sa.Column('step', sa.Text(), nullable=True),
    sa.Column('iteration', sa.Integer(), nullable=True),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('redeemed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reference', sa.Text(), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_because', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('redeemed_at IS NULL OR issued_at IS NOT NULL', name=op.f('ck_vouchers_redeemed_after_issue')),
    sa.ForeignKeyConstraint(['contact_id'], ['contacts.id'], name=op.f('fk_vouchers_contact_id_contacts'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['enrollment_id'], ['enrollments.id'], name=op.f('fk_vouchers_enrollment_id_enrollments'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['pool_key'], ['voucher_pools.key'], name=op.f('fk_vouchers_pool_key_voucher_pools')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_vouchers')),
    sa.UniqueConstraint('code', name=op.f('uq_vouchers_code')),
    sa.UniqueConstraint('enrollment_id', 'step', 'iteration', name=op.f('uq_vouchers_enrollment_id_step_iteration'))
    )
    op.create_index(op.f('ix_vouchers_contact_id'), 'vouchers', ['contact_id'], unique=False)
    op.create_index('ix_vouchers_in_stock', 'vouchers', ['pool_key', 'code'], unique=False, postgresql_where=sa.text('issued_at IS NULL'))
    op.create_index('ix_vouchers_pool_key_issued_at', 'vouchers', ['pool_key', 'issued_at'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_vouchers_pool_key_issued_at', table_name='vouchers')
    op.drop_index('ix_vouchers_in_stock', table_name='vouchers', postgresql_where=sa.text('issued_at IS NULL'))
    op.drop_index(op.f('ix_vouchers_contact_id'), table_name='vouchers')
    op.drop_table('vouchers')
    op.drop_table('voucher_pools')
