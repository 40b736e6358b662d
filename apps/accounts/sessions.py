"""How long somebody stays signed in. The session itself says so, whatever a browser keeps."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY, logout, user_logged_in
from django.contrib.auth.views import redirect_to_login
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

BEGAN, SEEN = "began_at", "seen_at"
NOTED_EVERY = 60  # seconds: what is clicked in between costs no write
# How a page says that it asks by itself, with nobody there: in the address (what it has `seen`), or crossdock.js.
POLLS, POLL_HEADER = {"poll", "seen"}, "X-Crossdock-Poll"


@receiver(user_logged_in)
def begin(request: HttpRequest, **kwargs: Any) -> None:
    request.session[BEGAN] = request.session[SEEN] = time.time()


def end_in_time(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """Middleware: whoever was away too long, or has been here too long, is nobody any more, and told why."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # Without a cookie there is no session to look into: calls of the API stay as cheap as they are.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or SESSION_KEY not in request.session:
            return get_response(request)
        if said := _why_it_ends(request):
            logout(request)
            messages.info(request, said)
            if request.htmx:  # type: ignore[attr-defined]
                return redirect_to_login(request.htmx.current_url_abs_path or "/")  # type: ignore[attr-defined]
        elif not _is_poll(request) and time.time() - request.session[SEEN] >= NOTED_EVERY:
            request.session[SEEN] = time.time()
        return get_response(request)

    return middleware


def _is_poll(request: HttpRequest) -> bool:
    return POLL_HEADER in request.headers or not POLLS.isdisjoint(request.GET)


def _why_it_ends(request: HttpRequest) -> str:
    """Empty while it goes on."""
    session, now = request.session, time.time()
    began = session.setdefault(BEGAN, now)
    seen = session.setdefault(SEEN, began)
    idle, longest = _limits_of(request)
    if now - seen > idle:
        return _("You were signed out, because nothing happened here for a while.")
    if now - began > longest:
        return _("You were signed out, because you had been signed in for long. Please sign in again.")
    return ""


def _limits_of(request: HttpRequest) -> tuple[int, int]:
    """Seconds of idleness, and seconds altogether."""
    if getattr(request.user, "is_staff", False):
        return settings.SESSION_IDLE_SECONDS, settings.SESSION_LONGEST_SECONDS
    return settings.OWNER_SESSION_IDLE_SECONDS, settings.OWNER_SESSION_LONGEST_SECONDS
