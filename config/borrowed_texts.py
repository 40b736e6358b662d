"""Texts of Django that the portal shows and config/locale translates anew: theirs say “u” to people we say “je” to.

Only `make messages` reads this file.
"""

from django.utils.translation import gettext_noop, ngettext_lazy

BORROWED = [
    gettext_noop("Your password can’t be too similar to your other personal information."),
    gettext_noop("Your password can’t be a commonly used password."),
    ngettext_lazy(
        "Your password must contain at least %(min_length)d character.",
        "Your password must contain at least %(min_length)d characters.",
        "min_length",
    ),
]
