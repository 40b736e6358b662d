"""The guards of what is decided by an UPDATE: whoever waited for a row looks at it again before changing it."""

from .guards import SHOPS, Guard

REPLAYING = "apps/webhooks/replaying.py"
ARRIVES = ("tests/webhooks/test_replaying.py::test_what_arrives_at_this_moment_has_arrived",)
AT_ONCE = "tests/onboarding/connecting/test_at_once.py"

RACING_GUARDS = [
    Guard(
        "race",
        SHOPS,
        'self.select_for_update(of=("self",), no_key=True).filter(pk=pk)',
        "self.filter(pk=pk)",
        (f"{AT_ONCE}::test_whoever_waited_for_a_hanging_connection_leaves_it_to_who_was_first",),
    ),
    Guard(
        "race",
        "apps/syncs/telling_parcels.py",
        "shop__in=shops, due_at__lte",
        "shop__integration=parcel.shop.integration_id, due_at__lte",
        (
            "tests/syncs/test_telling_parcels.py"
            "::test_one_that_is_told_at_the_moment_in_which_another_fails_is_not_due_again",
        ),
    ),
    Guard(
        "race",
        "apps/desk/fixing.py",
        "repeating.failing(found).select_for_update(no_key=True)",
        "found.select_for_update(no_key=True)",
        ("tests/desk/test_fixing.py::test_what_is_taken_at_this_moment_is_not_told_again",),
    ),
    Guard("race", REPLAYING, 'undone.values("pk")).undone()', 'undone.values("pk"))', ARRIVES),
    Guard("race", REPLAYING, 'waiting.values("pk"), state=Delivery.State.WAITING)', 'waiting.values("pk"))', ARRIVES),
    Guard(
        "race",
        "apps/webhooks/hooking.py",
        "return undone.filter(pk__in=_ranked",
        "return Delivery.objects.filter(pk__in=_ranked",
        ("tests/webhooks/test_hooking.py::test_what_arrives_while_it_is_resumed_is_not_dropped",),
    ),
    Guard(
        "race",
        "apps/accounts/inviting.py",
        "Invitation.objects.open().filter(pk=invitation.pk).update",
        "Invitation.objects.filter(pk=invitation.pk).update",
        ("tests/accounts/test_inviting.py::test_one_that_was_accepted_meanwhile_is_sent_no_new_link",),
    ),
    Guard(
        "race",
        "apps/accounts/inviting.py",
        "Invitation.objects.open().filter(pk=invitation.pk).delete()[0]",
        "Invitation.objects.filter(pk=invitation.pk).delete()[0]",
        ("tests/accounts/test_views.py::test_one_that_is_accepted_at_this_moment_is_not_withdrawn",),
    ),
]
