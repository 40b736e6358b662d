"""`python -m apps.sandbox [--port 8100]`: migrate, seed when empty, register the application, serve.

Exit codes: 0 after SIGTERM or SIGINT, 1 when the port is taken. Port 0 takes any free one and prints it.
"""

import argparse
import os
import socket
import sys

import django
from django.core.management import call_command


def main() -> None:
    port = asked_port()
    listener = bound(port)
    os.environ["SANDBOX_PORT"] = str(listener.getsockname()[1])
    # Not setdefault: a shell made for the portal carries the portal's settings.
    os.environ["DJANGO_SETTINGS_MODULE"] = "apps.sandbox.settings"
    django.setup()
    call_command("serve", fd=listener.detach())


def asked_port() -> int:
    """The port from the command line, or SANDBOX_PORT, or 8100; anything but a number is a usage error."""
    parser = argparse.ArgumentParser(prog="python -m apps.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=os.environ.get("SANDBOX_PORT", "8100"))
    return parser.parse_args().port


def bound(port: int) -> socket.socket:
    """A socket bound to the port on loopback, before any work is done; a taken port ends the process."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except (OSError, OverflowError):
        sys.exit(f"The sandbox cannot use port {port}: it is taken or not allowed. Set another SANDBOX_PORT.")
    return listener


if __name__ == "__main__":
    main()
