"""A client of Crossdock's API, as small as it can be: requests for the calls, Authlib for tokens. Copy from here."""

import json
import re
import shlex
from typing import Any

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

SECONDS = 30
ONE_LINE, MOST_LINES = 100, 16  # of an answer that is shown
SECRET = re.compile(r"\bxd[a-z]_\w{6,}")


class Refused(Exception):
    """An answer that says no (application/problem+json, RFC 9457), as a sentence. `code` is stable: act on that one."""

    def __init__(self, answer: requests.Response) -> None:
        problem = _json(answer)
        self.status, self.code = answer.status_code, problem.get("code") or problem.get("error", "")
        told = [problem.get(name) for name in ("title", "detail", "error_description")]
        said = " ".join(dict.fromkeys(filter(None, told))) or answer.reason
        super().__init__(f"{said} ({self.status} {self.code})")


class Crossdock:
    """The portal at one address. Each call returns the answer's JSON, None when there is none, or raises Refused."""

    def __init__(self, portal: str) -> None:
        self.portal = portal
        self.metadata = self.call("GET", f"{portal}/.well-known/oauth-authorization-server")

    def call(self, method: str, url: str, *, to: requests.Session | None = None, **options: Any) -> Any:
        """`to` is a session that knows its credential; without one nobody in particular calls."""
        url = url if url.startswith("http") else f"{self.portal}/api{url}"
        answer = (to or talkative(requests.Session())).request(method, url, timeout=SECONDS, **options)
        if not answer.ok:
            raise Refused(answer)
        return _json(answer) if answer.content else None

    def register(self, name: str, *, email: str, callback_url: str) -> dict[str, str]:
        """Your `client_id` and `client_secret`. This is the only time you see the secret: store it."""
        body = {"name": name, "email": email, "callback_url": callback_url}
        return self.call("POST", "/v1/integrations", json=body)

    def application(self, client_id: str, client_secret: str) -> requests.Session:
        """Calls about the application itself, with its client credentials."""
        session = talkative(requests.Session())
        session.auth = (client_id, client_secret)
        return session

    def key(self, key: str) -> requests.Session:
        """Calls with an API key that an organization has made in the portal."""
        session = talkative(requests.Session())
        session.headers["X-Api-Key"] = key
        return session

    def consent(self, registered: dict[str, str], scopes: list[str]) -> "Consent":
        """Begin to ask an organization for its consent."""
        return Consent(self, registered, scopes)


class Consent:
    """One round of OAuth 2: `address` is where the owner agrees, `tokens` what comes of it.

    `state` and the code verifier belong to this one round and to this one browser: in a web application keep both in
    the owner's session, so that nobody can bring somebody else's code to your callback.
    """

    def __init__(self, crossdock: Crossdock, registered: dict[str, str], scopes: list[str]) -> None:
        self.metadata = crossdock.metadata
        self.session = talkative(
            OAuth2Session(
                registered["client_id"],
                registered["client_secret"],
                redirect_uri=registered["callback_url"],
                scope=" ".join(scopes),
                code_challenge_method="S256",
            )
        )
        self.verifier = generate_token(64)
        endpoint = self.metadata["authorization_endpoint"]
        self.address, self.state = self.session.create_authorization_url(endpoint, code_verifier=self.verifier)

    def tokens(self, came_back: dict[str, str]) -> OAuth2Session:
        """The session that calls with the tokens, from what the owner's browser brought to the callback.

        Raises Refused, and PermissionError when what came is no answer to this round, or a no.
        """
        if came_back.get("state") != self.state:
            raise PermissionError("The state is not the one we sent: somebody else began this.")
        if came_back.get("iss") != self.metadata["issuer"]:
            raise PermissionError("The answer is of another server (RFC 9207).")
        if "error" in came_back:
            raise PermissionError(f"The owner was asked, and the answer is no: {came_back['error']}.")
        code = {"code": came_back["code"], "code_verifier": self.verifier}
        self.session.fetch_token(self.metadata["token_endpoint"], grant_type="authorization_code", **code)
        return self.session

    def refresh(self) -> OAuth2Session:
        """New tokens for old. The old ones are void at once; whoever uses an old refresh token ends all of them."""
        self.session.refresh_token(self.metadata["token_endpoint"])
        return self.session


def talkative(session: requests.Session) -> requests.Session:
    """The session prints each call as a curl line, with secrets shortened, and the answer."""
    session.trust_env = False
    session.hooks["response"].append(lambda answer, **_: _show(answer))
    return session


def _show(answer: requests.Response) -> None:
    print(f"  $ {shortened(_as_curl(answer.request))}")
    text = json.dumps(_json(answer), ensure_ascii=False) if answer.content else "(empty)"
    if len(text) > ONE_LINE:
        text = json.dumps(_json(answer), ensure_ascii=False, indent=1)
    lines = shortened(text).splitlines()
    shown = lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], "…"]
    print(f"    {answer.status_code} " + "\n    ".join(shown), flush=True)


def _as_curl(request: requests.PreparedRequest) -> str:
    parts = ["curl", *(["-X", request.method or ""] if request.method not in ("GET", "POST") else [])]
    for name in ("Authorization", "X-Api-Key", "Idempotency-Key", "Content-Type"):
        if value := request.headers.get(name):
            parts += ["-H", f"{name}: {value}"]
    if request.body:
        body = request.body
        parts += ["-d", body.decode() if isinstance(body, bytes) else str(body)]
    elif request.method == "POST":
        parts += ["-X", "POST"]
    return shlex.join([*parts, request.url or ""])


def shortened(text: str) -> str:
    """Without what must not end up in a terminal's history: tokens, keys, codes, verifiers, Basic credentials."""
    text = SECRET.sub(lambda found: found[0][:8] + "…", text)
    text = re.sub(r"\b(code|code_verifier)=[^&'\s]+", r"\1=…", text)
    return re.sub(r"Basic [\w+/=]+", "Basic …", text)


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return {"detail": answer.text[:200]}
