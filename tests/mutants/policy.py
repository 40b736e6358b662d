"""Guards of what a browser may do with our pages."""

from .guards import Guard

SETTINGS, OPERATIONS, POLICY = "config/settings.py", "apps/operations.py", "tests/test_policy.py"

POLICY_GUARDS = [
    Guard(
        "AD-06",
        SETTINGS,
        '    "script-src": [CSP.SELF],\n',
        '    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],\n',
        (f"{POLICY}::test_the_pages_of_signing_in_keep_the_strict_policy",),
    ),
    Guard(
        "AD-06",
        SETTINGS,
        'ADMIN_CSP = SECURE_CSP | {"frame-ancestors": [CSP.SELF]}',
        'ADMIN_CSP = SECURE_CSP | {"frame-ancestors": [CSP.SELF], "style-src": [CSP.SELF, CSP.UNSAFE_INLINE]}',
        (f"{POLICY}::test_the_admins_other_pages_keep_its_policy",),
    ),
    Guard(
        "AD-06",
        SETTINGS,
        '    "COLORS": lambda request: {},',
        '    "COLORS": {},',
        (f"{POLICY}::test_the_admin_takes_its_colours_from_files",),
    ),
    Guard(
        "AD-06",
        OPERATIONS,
        "fields.prettify_json = written_out\n",
        "",
        (f"{POLICY}::test_json_is_shown_without_colours_written_into_the_page",),
    ),
    Guard(
        "AD-06",
        OPERATIONS,
        "return csp_override(settings.ADMIN_CSP)(keeping)",
        "return keeping",
        (f"{POLICY}::test_the_admins_other_pages_keep_its_policy",),
    ),
]
