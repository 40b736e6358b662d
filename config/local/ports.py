"""Choosing and checking the TCP ports of a local run."""

import os
import socket

from config.local.child import ChildFailed

HOST = "127.0.0.1"


def port(variable: str, *, default: int) -> int:
    """The port that the environment variable names, 0 meaning any free one. Raises ChildFailed if it cannot be used."""
    text = os.environ.get(variable) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise ChildFailed(f"{variable} must be a port number from 1 to 65535, or 0 for any free one, not {text!r}.")
    try:
        return _bound(int(text))
    except PermissionError:
        raise ChildFailed(f"Port {text} needs more rights than you have: set {variable} to one above 1023.") from None
    except OSError:
        raise ChildFailed(f"Port {text} is in use by another program: set {variable} to a free one.") from None


def _bound(number: int) -> int:
    """Binds as the servers do: SO_REUSEADDR lets connections that linger pass, but not another listener."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, number))
        listener.listen()
        taken: int = listener.getsockname()[1]
        return taken
