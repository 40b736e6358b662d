"""Consents, as the 3PL's own people see them. The toolkit's own pages would show and change what is only digests."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from apps.accounts.admin import BY_ORGANIZATION
from apps.accounts.asking import ask_about
from apps.accounts.deciding import actor_of
from apps.operations import ReadOnlyAdmin, ago, label, linked

from .. import consenting
from ..models import AccessToken, Application, Authorization, Grant, IDToken, RefreshToken

for model in (Application, Grant, AccessToken, RefreshToken, IDToken):
    admin.site.unregister(model)


@admin.register(Authorization)
class AuthorizationAdmin(ReadOnlyAdmin):
    """Who let which application into their organization. Revoking ends every token that came of it."""

    fields = ["application", "organization", "integration", "user", "scope", "is_lasting"]
    fields += ["created_at", "revoked_at", "revoked_because", "id"]
    list_display = ["application", linked("organization", gettext_lazy("organization"))]
    list_display += [linked("integration", gettext_lazy("integration")), "user", "state"]
    list_display += [ago("created_at", gettext_lazy("given"))]
    list_filter = ["is_lasting", ("integration", AutocompleteSelectFilter), BY_ORGANIZATION]
    list_select_related = ["application", "organization", "integration", "user"]
    search_fields = ["application__name", "=application__client_id", "organization__name", "user__email", "=id"]
    date_hierarchy = "created_at"
    actions = ["revoke"]

    @display(description=gettext_lazy("state"))
    def state(self, authorization: Authorization) -> str:
        if authorization.revoked_at:
            return label(authorization.revoked_because, kind="danger")
        lasting = gettext_lazy("of a shop") if authorization.is_lasting else gettext_lazy("given")
        return label(lasting, kind="success")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("integrations.change_authorization")

    @admin.action(description=gettext_lazy("Revoke, with all access it gave"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, rows: QuerySet[Authorization]) -> HttpResponse:
        def do(given: dict[str, Any]) -> HttpResponse:
            ended = sum(consenting.revoke(row, actor=actor_of(request)) for row in rows)
            text = ngettext("%(count)s consent revoked.", "%(count)s consents revoked.", ended) % {"count": ended}
            messages.success(request, text)
            return redirect(request.get_full_path())

        point = _("All access that came of it ends. Only the organization can let the application in again.")
        names = [f"{row.organization}: {row}" for row in rows]
        return ask_about(self, request, rows, action="revoke", point=point, names=names, do=do)
