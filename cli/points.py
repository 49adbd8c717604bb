"""`dauerlauf publish-models`: points models from files into the database."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from cli.connection import in_transaction
from cli.simulation.sources import read_models
from crm.scoring import ScoringRepository
from journeys.scoring import PointsModel
from journeys.segments import Backfill


def publish_models(
    files: Annotated[
        list[Path], typer.Argument(help="Files of points models, one in each.", exists=True, dir_okay=False)
    ],
    *,
    backfill: Annotated[
        Backfill,
        typer.Option("--backfill", help="`matching`: journeys are told of everybody whom the new version lifts."),
    ] = Backfill.NONE,
) -> None:
    """Publish points models: all of them or none. Everybody's score is counted again under a model that has changed."""
    models = read_models(files)
    for line in in_transaction(lambda session: _publish(session, models, backfill)):
        Console(highlight=False, soft_wrap=True).print(line, markup=False)


async def _publish(session: AsyncSession, models: Sequence[PointsModel], backfill: Backfill) -> list[str]:
    scoring = ScoringRepository(session)
    # In one order everywhere, so that two publications never wait for each other.
    in_order = sorted(models, key=lambda model: model.key)
    return [f"{model.key}: version {await scoring.publish(model, backfill=backfill)}" for model in in_order]
