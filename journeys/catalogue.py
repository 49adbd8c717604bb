"""The journeys, points models and voucher pools that ship with the product: package data in `journeys/catalogue/`."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from journeys.loader import load_journey, load_model
from journeys.model import Journey
from journeys.scoring import PointsModel
from journeys.vouchers import VoucherPool


def catalogue() -> Iterator[Journey]:
    """The shipped journeys, by file name."""
    for file in _documents("catalogue"):
        yield load_journey(file.read_text("utf-8"), source=file.name)


def models() -> Iterator[PointsModel]:
    """The shipped points models, by file name."""
    for file in _documents("catalogue/models"):
        yield load_model(PointsModel, file.read_text("utf-8"), name="points model", source=file.name)


def pools() -> Iterator[VoucherPool]:
    """The shipped voucher pools, by file name."""
    for file in _documents("catalogue/vouchers"):
        yield load_model(VoucherPool, file.read_text("utf-8"), name="voucher pool", source=file.name)


def _documents(folder: str) -> list[Traversable]:
    entries = files("journeys").joinpath(folder).iterdir()
    return sorted((entry for entry in entries if entry.name.endswith(".yaml")), key=lambda entry: entry.name)
