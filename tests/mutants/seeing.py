"""Guards of what owners see of their orders, and change."""

from .guards import Guard

HISTORY, VIEWS, WAITING = "apps/orders/history.py", "apps/orders/views.py", "apps/orders/waiting.py"
TIMELINE = ("tests/orders/test_history.py",)
PAGES = ("tests/orders/test_views.py",)

SEEING_GUARDS = [
    Guard(
        "seeing",
        HISTORY,
        "moments = [moment for moment in moments if not moment.is_internal]",
        "moments = list(moments)",
        TIMELINE,
    ),
    Guard("seeing", HISTORY, "found[0] if found[0] in team else", "found[0] if True else", TIMELINE),
    Guard("seeing", HISTORY, '.lower().startswith(("https://", "http://"))', "", TIMELINE),
    Guard("seeing", VIEWS, 'if locked.version != form.cleaned_data["version"]:', "if locked.version is None:", PAGES),
    Guard(
        "seeing",
        WAITING,
        "return current().filter(organization=organization)",
        "return current()",
        ("tests/orders/test_waiting.py",),
    ),
]
