"""Brings the database of a demo up to date, and prints who may log in and call, as one line of JSON for each `seed_…`.

All in one process: loading Django is most of the time that each of them takes.
"""

import io
import json
import os
import sys

import django
from django.core.management import call_command

if __name__ == "__main__":
    django.setup()
    call_command("migrate", interactive=False, stdout=sys.stderr)
    people = io.StringIO()
    call_command("seed_demo", stdout=people)
    print(people.getvalue(), end="")
    names = ("client_secret", "integration_key", "connector_key", "user_key")
    secrets = {name: os.environ[f"DEMO_{name.upper()}"] for name in names}
    call_command("seed_partners", organization=json.loads(people.getvalue())["organization_id"], **secrets)
