"""The way through: from the question to the tokens, and what they are good for."""

from apps.api.principals import Kind

from .flow import heard, principal_of


def test_the_owner_agrees_and_the_application_gets_tokens(flow, owner, settings):
    answer = flow.answer(flow.ask())
    told = heard(answer)
    assert {**told, "code": ""} == {"code": "", "state": flow.state, "iss": settings.PUBLIC_URL}
    tokens = flow.redeem(told["code"])
    assert (tokens.status_code, tokens["Cache-Control"]) == (200, "no-store")
    body = tokens.json()
    assert {**body, "access_token": "", "refresh_token": ""} == {
        "access_token": "",
        "refresh_token": "",
        "expires_in": 3600,
        "token_type": "Bearer",
        "scope": "organization.read orders:read",
    }
    who = principal_of(body["access_token"])
    assert (who.kind, who.organization, who.grants) == (
        Kind.TOKEN,
        owner.organization,
        {"orders:read", "organization.read"},
    )
