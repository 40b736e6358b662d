"""Our signatures, verified by the reference library of Standard Webhooks for Node (threat row WO-10)."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from apps.webhooks import signing
from config.local.child import Child
from config.local.guard import Guard
from config.local.stopping import StopSignals
from tests.webhooks.bits import bodies

from .installing import install, run_to_the_end
from .ledger import Checks, say

PACKAGE = Path(__file__).with_name("standard_webhooks")
MANY, BOTH = 10_000, 1_000  # bodies signed with one key; and with two
WITHIN = 120.0  # seconds


def verify(*, folder: Path, checks: Checks, guard: Guard, stop: StopSignals) -> dict[str, float]:
    """Sign random bodies here, and have them verified there. Raises ChildFailed."""
    say("Installing standardwebhooks …")
    install(PACKAGE, folder, guard=guard, stop=stop)
    signed, output = folder / "signed.jsonl", folder / "verified.json"
    output.unlink(missing_ok=True)
    began = time.monotonic()
    signed.write_text("".join(json.dumps(message) + "\n" for message in messages(Random(10))))
    command = ["node", "verify.mjs", signed.name]
    program = Child(name="The verifier", command=command, log=folder / "verifier.log", cwd=folder, output=output)
    run_to_the_end(program, guard=guard, stop=stop, within=WITHIN)
    found = json.loads(output.read_text())
    bits = found.pop("bits")
    total = MANY + BOTH
    expected = {"messages": total, "verified": total, "refused": total, "turned": MANY, "turned_and_accepted": 0}
    checks.equal(f"Node verifies {total:,} signed bodies and none of {bits:,} with a bit turned", found, expected)
    return {"signed_bodies": total, "turned_bits": bits, "verifying_seconds": round(time.monotonic() - began, 1)}


def messages(random: Random) -> Iterator[dict[str, Any]]:
    """Each with its keys, and one that it was not signed with."""
    key, other, stranger = (signing.new_key() for _ in range(3))
    for number, body in enumerate(bodies(random, many=MANY + BOTH)):
        keys = [key] if number < MANY else [key, other]
        signing_keys = [signing.key_bytes(one) for one in keys]
        headers = signing.standard(f"msg_{number}", timestamp=int(time.time()), body=body, keys=signing_keys)
        encoded = base64.b64encode(body).decode()
        yield {"keys": keys, "stranger": stranger, "headers": headers, "body": encoded}
