"""The owner's page about API keys: which there are, who still uses them, one more, one less."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from apps.accounts.deciding import SignedIn, actor_of, needs
from apps.api.grants import CONSENTED

from . import keying
from .forms import WORDS, KeyForm
from .models import ApiKey


def _live(request: SignedIn) -> Any:
    rows = ApiKey.objects.for_principal(request).live().with_use()
    return rows.select_related("integration", "connector", "user")


def words_of(key: ApiKey) -> list[Any]:
    """What a key may do, in plain words."""
    words = WORDS if key.user else CONSENTED
    return [words[grant] for grant in CONSENTED if grant in key.may]


@login_required
@needs("manage")
def keys(request: SignedIn) -> HttpResponse:
    """Every key that works now: people's own, then those of integrations."""
    rows = [{"key": key, "may": words_of(key)} for key in _live(request)]
    context = {
        "personal": [row for row in rows if row["key"].user],
        "others": [row for row in rows if not row["key"].user],
    }
    return render(request, "integrations/keys.html", context)


@login_required
@needs("manage")
@never_cache
def make_key(request: SignedIn) -> HttpResponse:
    """A key of one's own. It is shown once, in the answer to the form."""
    form = KeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        made = keying.issue(request.user, by=request.user, actor=actor_of(request), **form.cleaned_data)
        return render(request, "integrations/key_made.html", {"made": made, "may": words_of(made.key)})
    return render(request, "integrations/make_key.html", {"form": form})


@login_required
@needs("manage")
def end_key(request: SignedIn, pk: UUID) -> HttpResponse:
    """Say what will stop, then stop it at once."""
    key = get_object_or_404(_live(request), pk=pk)
    if request.method == "POST":
        keying.terminate(key, actor=actor_of(request))
        messages.success(request, _("The key “%(name)s” no longer works.") % {"name": key.name})
        return redirect("keys")
    return render(request, "integrations/end_key.html", {"key": key})
