"""What people fill in about their team."""

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import Membership, Role


class InviteForm(forms.Form):
    email = forms.EmailField(label=_("Email address"), max_length=254)
    role = forms.ChoiceField(
        label=_("May do"),
        choices=[
            (Role.VIEWER, _("Viewer: may look at everything")),
            (Role.MEMBER, _("Member: may also connect and look after stores")),
            (Role.ADMIN, _("Admin: may also invite and remove people")),
            (Role.OWNER, _("Owner: the same, and cannot be removed by an admin")),
        ],
        initial=Role.MEMBER,
    )


class RoleForm(forms.ModelForm):
    class Meta:
        model = Membership
        fields = ["role"]
