import pytest

from apps.onboarding.steps import STEPS, rail
from tests.factories import make_connection, make_draft


def states(context):
    return [step.state for step in context["steps"]]


@pytest.mark.parametrize(("number", "name"), list(enumerate(STEPS, start=1)))
def test_the_rail_says_where_one_is_and_what_comes_next(db, number, name):
    context = rail(name, make_draft())
    assert (context["number"], context["total"], context["label"]) == (number, 7, STEPS[name])
    assert states(context) == ["done"] * (number - 1) + ["now"] + ["next"] * (7 - number)


def test_steps_behind_lead_back_and_steps_ahead_lead_nowhere(db):
    draft = make_draft()
    begin = f"/connect/{draft.pk}"
    urls = [step.url for step in rail("identify", draft)["steps"]]
    assert urls == ["/connect/", f"{begin}/log-in/", f"{begin}/brand/", f"{begin}/store/", "", "", ""]


def test_after_connecting_nothing_leads_back(db):
    assert {step.url for step in rail("progress", make_connection())["steps"]} == {""}
    assert {step.url for step in rail("progress")["steps"]} == {""}
