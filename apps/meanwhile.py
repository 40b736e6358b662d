"""Forms of the admin that save nothing over what others changed since the page was opened."""

from hashlib import blake2b
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

CHANGED = gettext_lazy(
    "Somebody changed this after you opened the page. Nothing is saved: open it anew, and look first."
)


class _Shown(forms.CharField):
    """Comes back as it went out, and is nothing that somebody typed."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class AsShownForm(forms.ModelForm):
    """`as_shown` stands for what the page showed in its inputs. The row is locked from `clean` on."""

    as_shown = _Shown(required=False, widget=forms.HiddenInput)

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        return self._digest() if field_name == "as_shown" else super().get_initial_for_field(field, field_name)

    def _digest(self) -> str:
        said = [
            (name, self.get_initial_for_field(self.fields[name], name)) for name in self.fields if name != "as_shown"
        ]
        return blake2b(repr(said).encode(), digest_size=16).hexdigest()

    def clean(self) -> dict[str, Any]:
        rows = self.instance._meta.model._base_manager.select_for_update(no_key=True)
        row = rows.filter(pk=self.instance.pk).first()
        now = row and type(self)(instance=row)
        if now is None or now._digest() != self.cleaned_data.pop("as_shown", ""):
            raise forms.ValidationError(CHANGED)
        self.instance, self.initial = row, now.initial
        return super().clean() or self.cleaned_data


class Meanwhile:
    """Pages with such a form. The form's own `clean` asks `super().clean()` before it looks at the row."""

    change_form_after_template = "admin/as_shown.html"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
        return type(form)(form.__name__, (form, AsShownForm), {}) if change else form
