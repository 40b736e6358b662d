"""A partner's program on openid-client (npm), that the owner lets in."""

import json
from pathlib import Path
from typing import Any

from config.local.child import Child
from config.local.guard import Guard
from config.local.stopping import StopSignals

from .installing import install
from .ledger import Checks, say
from .owner import Owner

PACKAGE = Path(__file__).with_name("openid_client")
WITHIN = 60.0  # seconds


def let_in(owner: Owner, *, folder: Path, checks: Checks, guard: Guard, stop: StopSignals) -> None:
    """From its registration to its own end, with nothing but the portal's address. Raises ChildFailed."""
    say("Installing openid-client …")
    install(PACKAGE, folder, guard=guard, stop=stop)
    output = folder / "partner.jsonl"
    output.unlink(missing_ok=True)
    command = ["node", "partner.mjs", owner.portal]
    program = Child(name="The partner", command=command, log=folder / "partner.log", cwd=folder, output=output)
    program.ready = lambda: bool(_told(output))
    with guard.running(program):
        checks.equal("the owner sees who asks", "Pickwise" in owner.let_in(_told(output)[0]["authorize"]), True)
        program.wait_until_ended(within=WITHIN, meanwhile=stop.check)
    expected = {"scope": "organization.read orders:read", "organization": owner.organization(), "rotated": True}
    expected |= {"active": True, "revoked": False, "own": "self:read"}
    checks.equal("openid-client gets in by the metadata document alone", _told(output)[1:], [expected])
    checks.equal("an app that gave its permission back is no longer listed", "Pickwise" in owner.apps(), False)


def _told(output: Path) -> list[dict[str, Any]]:
    """The whole lines it has printed."""
    text = output.read_text() if output.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
