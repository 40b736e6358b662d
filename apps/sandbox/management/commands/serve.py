"""`serve`: get the sandbox ready and serve it on a bound socket, one gunicorn worker with threads."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management import BaseCommand, call_command
from django.db import connections
from gunicorn.app.base import BaseApplication

from apps.sandbox.otter import messages
from apps.sandbox.otter import models as otter_models
from apps.sandbox.otter import seed as otter
from apps.sandbox.pio import delivering, preparing
from apps.sandbox.pio import models as pio_models
from apps.sandbox.pio import seed as pio
from apps.sandbox.wsgi import application

# The ledger and the rate limits count in memory, so there is one process; threads keep a slow call from blocking.
GUNICORN = {
    "worker_class": "gthread",
    "workers": 1,
    "threads": 24,
    "preload_app": True,
    "control_socket_disable": True,
    # As at real platforms. With gunicorn's 2 s a caller that pauses as long as that meets the end of its connection.
    "keepalive": 75,
    "graceful_timeout": 3,
    "loglevel": "warning",
}


class Server(BaseApplication):
    """Gunicorn on the descriptor of a bound socket, which it makes its own."""

    def __init__(self, descriptor: int):
        self.descriptor = descriptor
        super().__init__()

    def load_config(self) -> None:
        self.cfg.set("bind", f"fd://{self.descriptor}")
        self.cfg.set("when_ready", announce)
        # In the worker: threads do not come along when it is forked.
        self.cfg.set("post_worker_init", begin)
        for name, value in GUNICORN.items():
            self.cfg.set(name, value)

    def load(self) -> object:
        return application


class Command(BaseCommand):
    help = "Migrate, seed an empty store, register the application of the environment, serve until told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fd", type=int, required=True, help="descriptor of a bound socket")

    def handle(self, *args: object, **options: object) -> None:
        prepare()
        Server(options["fd"]).run()


def prepare() -> None:
    call_command("migrate", verbosity=0, interactive=False)
    for seed, organizations in (otter, otter_models.Organization.objects), (pio, pio_models.Organization.objects):
        if not organizations.exists():
            seed.fill()
    otter.register_own_application()
    pio.register_own_integration()
    # The worker is a fork, and an SQLite connection must not be carried across one.
    connections.close_all()


def begin(worker: object) -> None:
    messages.begin()
    delivering.begin()
    preparing.begin()


def announce(server: object) -> None:
    print(f"The sandbox (Otter, Pio) is at {settings.BASE_URL}", flush=True)
