"""Forms of the admin that leave an entry in the audit trail."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from apps.audit.trail import record

from .deciding import actor_of


class Trailed:
    """Forms whose every change is entered in the audit trail, with what stood there before and what stands there now.

    `kept_quiet` are the fields whose values are nobody's business.
    """

    kept_quiet: tuple[str, ...] = ("password", "password1", "password2", "usable_password")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)  # type: ignore[misc]
        fields = [name for name in form.changed_data if name not in self.kept_quiet and name in form.cleaned_data]
        before = {name: said(form.initial.get(name)) for name in fields} if change else {}
        after = {name: said(form.cleaned_data[name]) for name in fields}
        verb = "change" if change else "add"
        record(actor_of(request), f"{obj._meta.model_name}.{verb}", on=obj, before=before, after=after)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        record(actor_of(request), f"{obj._meta.model_name}.delete", on=obj)
        super().delete_model(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            record(actor_of(request), f"{row._meta.model_name}.delete", on=row)
        super().delete_queryset(request, queryset)  # type: ignore[misc]


def said(value: Any) -> Any:
    if isinstance(value, QuerySet | list | tuple):
        return sorted(str(one) for one in value)
    return value if isinstance(value, bool | int | None) else str(value)
