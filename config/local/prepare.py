"""Brings the database of a demo up to date, and prints who may log in: `migrate` and `seed_demo` in one process.

Loading Django is most of the time that each of them takes.
"""

import sys

import django
from django.core.management import call_command

if __name__ == "__main__":
    django.setup()
    call_command("migrate", interactive=False, stdout=sys.stderr)
    call_command("seed_demo")
