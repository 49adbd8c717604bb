import os
import stat
import tempfile
from pathlib import Path

import pytest

from cli.stack.postgres_files import let_reach, let_run, own, socket_directory
from kit.errors import Unavailable

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
SOMEBODY = "nobody"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_directory_of_ours_is_closed_to_others(tmp_path: Path) -> None:
    own(tmp_path / "data", user=None)
    assert mode_of(tmp_path / "data") == 0o700


def test_a_link_somebody_laid_in_our_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "socket").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable, match="belongs to another user"):
        own(tmp_path / "socket", user=None)


def test_a_socket_lies_beside_the_data_unless_the_path_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert socket_directory(tmp_path, user=None) == tmp_path / "socket"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    far = socket_directory(tmp_path / ("x" * 200), user=None)
    assert far.parent == tmp_path
    assert mode_of(far) == 0o700


def test_an_ordinary_user_changes_no_permissions_above_the_directory(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    let_reach(tmp_path / "postgres", user=None)
    assert mode_of(tmp_path) == 0o700


@AS_ROOT
def test_the_system_user_may_pass_through_but_not_list(tmp_path: Path) -> None:
    (tmp_path / "closed" / "data").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    let_reach(tmp_path / "closed" / "data", user=SOMEBODY)
    assert mode_of(tmp_path / "closed") == 0o701


@AS_ROOT
def test_packages_installed_closed_to_others_can_be_run_by_the_system_user(tmp_path: Path) -> None:
    program = tmp_path / "package" / "install" / "bin" / "postgres"
    library = tmp_path / "package.libs" / "libpq.so"
    for file in (program, library):
        file.parent.mkdir(parents=True)
        file.write_text("")
        file.chmod(0o600)
    program.chmod(0o700)
    let_run(program, user=SOMEBODY)
    assert mode_of(program) == 0o705
    assert mode_of(library) == 0o604
