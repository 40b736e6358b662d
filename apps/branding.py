"""The 3PL's own name, logo and colour on every page."""

import re

from django.conf import settings
from django.core.checks import Error, register
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.cache import cache_control

HEX_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def portal(request: HttpRequest) -> dict[str, object]:
    """Context of every template."""
    return {
        "portal": {
            "name": settings.PORTAL_NAME,
            "logo": settings.PORTAL_LOGO,
            "color": settings.PORTAL_COLOR,
            "support": settings.SUPPORT_EMAIL,
        }
    }


@cache_control(max_age=300, public=True)
def brand_css(request: HttpRequest) -> HttpResponse:
    """The colour as a stylesheet: our content security policy allows none inside a page."""
    return HttpResponse(f":root{{--accent:{settings.PORTAL_COLOR}}}\n", content_type="text/css; charset=utf-8")


@cache_control(max_age=86_400, public=True)
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for the icon of what is no page, like a JSON document."""
    return redirect(static("favicon.svg"))


@register()
def check_color(app_configs: object, **kwargs: object) -> list[Error]:
    if HEX_COLOR.fullmatch(settings.PORTAL_COLOR):
        return []
    return [Error(f"PORTAL_COLOR is {settings.PORTAL_COLOR!r}; write it like #1f5eff.", id="crossdock.E001")]
