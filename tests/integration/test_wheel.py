"""The wheel holds everything the product needs at run time, and works from another directory than the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROBE = """
import importlib, pathlib, sys
for name in ("worker", "api.app", "cli.main", "cli.seed", "intake.consumer", "workflows.journey"):
    module = importlib.import_module(name)
    assert pathlib.Path(module.__file__).is_relative_to(sys.argv[1]), module.__file__
from journeys.catalogue import catalogue
from messaging.publishing import checked_templates
from messaging.template_source import packaged_templates
print(len(list(catalogue())), len(checked_templates(packaged_templates())))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(next(directory.glob("*.whl"))) as wheel:
        wheel.extractall(directory / "site")
    return directory / "site"


def test_the_wheel_runs_from_anywhere(unpacked: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    command = [sys.executable, "-c", PROBE, str(unpacked)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    journeys, templates = map(int, done.stdout.split())
    assert journeys >= 3
    assert templates >= 5


def test_the_wheel_holds_no_tests_and_no_benchmarks(unpacked: Path) -> None:
    assert not {path.name for path in unpacked.iterdir()} & {"tests", "bench", "docs"}
