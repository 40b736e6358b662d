"""Running a program as an unprivileged user when we are root, in places that this user can reach.

Nothing else is opened to that user, so a checkout below a private home folder stays private.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TypedDict


class Identity(TypedDict, total=False):
    """Arguments of `subprocess`: empty to run as we are."""

    user: int
    group: int
    extra_groups: list[int]


def identity(user: int | None) -> Identity:
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwuid(user).pw_gid, "extra_groups": []}


def own_directory(directory: Path) -> tuple[Path, int | None]:
    """Makes the directory a program works in; the real path, and the user to run as (None: as we are).

    As root it belongs to whom it belonged before, at first to `nobody`; where that user could not get at it,
    it is a link into /var/tmp. Raises PermissionError when it is another user's and we are not root.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        directory.mkdir(mode=0o700, exist_ok=True)
        if directory.stat().st_uid != os.geteuid():
            raise PermissionError(f"{directory} belongs to another user; delete it, or start as that user.")
        return directory.resolve(), None
    if not directory.exists():
        _make(directory, user=pwd.getpwnam("nobody").pw_uid)
    return directory.resolve(), directory.stat().st_uid


def _make(directory: Path, *, user: int) -> None:
    directory.unlink(missing_ok=True)  # a link whose target is gone
    if may(user, "-x", directory.parent):
        directory.mkdir(mode=0o700)
    else:
        directory.symlink_to(tempfile.mkdtemp(prefix="crossdock-", dir="/var/tmp"))
    os.chown(directory, user, -1)


def reachable(folder: Path, *, beside: Path, copy: Path, user: int | None) -> Path:
    """`folder` if the user can read it; else a copy of it and of `beside`, placed the same way in `copy`."""
    if user is None or may(user, "-r", folder / "share"):
        return folder
    shutil.rmtree(copy, ignore_errors=True)
    top = beside.parent
    for source in (folder, beside):
        shutil.copytree(source, copy / source.relative_to(top), symlinks=True)
    for path in (copy, *copy.rglob("*")):
        os.chown(path, user, -1, follow_symlinks=False)
    return copy / folder.relative_to(top)


def may(user: int, how: str, path: Path) -> bool:
    """Asks `test` as that user, because permissions have more rules than mode bits."""
    done = subprocess.run(["/usr/bin/test", how, path], cwd="/", check=False, **identity(user))  # noqa: S603
    return done.returncode == 0
