"""Where a unix socket can live, and whether somebody answers there."""

import re
import socket
import tempfile
from pathlib import Path

# sun_path holds 108 bytes on Linux and 104 elsewhere; PostgreSQL's own file name takes 14 of them.
SHORT_AND_PLAIN = re.compile(r"[A-Za-z0-9_./-]{1,88}")


def socket_directory(directory: Path) -> Path:
    """`directory`, or a short one linked from it when its path does not fit a socket's address or a URL."""
    if SHORT_AND_PLAIN.fullmatch(str(directory)):
        return directory
    link = directory / "socket"
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(tempfile.mkdtemp(prefix="crossdock-", dir="/tmp"))
    return link.readlink()


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
