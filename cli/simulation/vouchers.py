"""Vouchers in a simulation: codes that look like issued ones, kept in memory. No pool is touched."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from cli.simulation.world import Pretended, World
from crm.vouchers import VOUCHER_REDEEMED
from journeys.catalogue import pools
from journeys.outcomes import RefusalReason
from journeys.vouchers import VoucherPool
from messaging.verdicts import Refused
from messaging.vouchers import SOLD_OUT, expiry_of, voucher_variables
from workflows.ports import SendMessage


def choose(world: World, request: SendMessage) -> Pretended | Refused | None:
    """The voucher a message is about, one that is not issued yet included; None where it is about none."""
    asked = request.voucher
    if asked is None:
        return None
    if asked.of is not None:
        return _known(world, request, asked.of)
    assert asked.pool is not None
    if (issued := world.vouchers.get((request.enrollment_id, request.step, request.iteration))) is not None:
        return issued
    if asked.pool in world.sold_out:
        return SOLD_OUT
    code = f"{_pool(asked.pool).prefix or asked.pool.upper()}-SAMPLE-{len(world.vouchers) + 1}"
    return Pretended(asked.pool, code, expiry_of(asked, request.now, world.zone))


def issue(world: World, request: SendMessage, voucher: Pretended) -> None:
    """Keep the voucher of a message that leaves, where it is a new one."""
    if request.voucher is not None and request.voucher.pool is not None:
        world.vouchers.setdefault((request.enrollment_id, request.step, request.iteration), voucher)


def variables(world: World, voucher: Pretended) -> Mapping[str, Any]:
    """What a template may say of it."""
    return voucher_variables(voucher.code, _pool(voucher.pool).value, voucher.expires_at, world.zone)


def _known(world: World, request: SendMessage, step: str) -> Pretended | Refused:
    rounds = [key[2] for key in world.vouchers if key[:2] == (request.enrollment_id, step)]
    if not rounds:
        return Refused(RefusalReason.NO_VOUCHER, f"The step {step} has issued no voucher.")
    issued = world.vouchers[request.enrollment_id, step, max(rounds)]
    if issued.expires_at is not None and issued.expires_at < request.now:
        return Refused(RefusalReason.NO_VOUCHER, "The voucher has expired.")
    redeemed = (event.properties for event in world.record.events if event.name == VOUCHER_REDEEMED)
    if any(properties.get("pool") == issued.pool for properties in redeemed):
        return Refused(RefusalReason.NO_VOUCHER, "The voucher was redeemed already.")
    return issued


def _pool(key: str) -> VoucherPool:
    """The shipped pool, or one that is named as if it were there."""
    return _shipped().get(key) or VoucherPool(key=key, value=key)


@cache
def _shipped() -> Mapping[str, VoucherPool]:
    return {pool.key: pool for pool in pools()}
