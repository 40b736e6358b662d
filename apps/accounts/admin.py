"""People, organizations and what belongs to them, as the 3PL's own people see them."""

from dataclasses import replace
from typing import Any

from allauth.account.admin import EmailAddressAdmin as AllauthEmailAddressAdmin
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangosGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangosUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import ChoiceField, ModelForm, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from apps.api.principals import address_of
from apps.audit.trail import record
from apps.listed import Listed
from apps.meanwhile import Meanwhile
from apps.operations import Choosing, ReadOnlyAdmin, ReadOnlyInline, ago, label, linked

from . import closing, inviting, powers
from .asking import ask_about
from .deciding import SignedIn, actor_of
from .models import Brand, Invitation, Membership, Organization, Role, Store, User
from .powers import Power
from .trailed import Trailed, said

for model in (Group, EmailAddress, Authenticator):
    admin.site.unregister(model)

BY_ORGANIZATION = ("organization", AutocompleteSelectFilter)


class PersonForm(UserChangeForm):
    """Their role at the 3PL is one choice. `asker` is who fills this in: only a superuser is asked for the role."""

    asker: User
    power = ChoiceField(
        label=gettext_lazy("role at the 3PL"), required=False, widget=UnfoldAdminSelectWidget, choices=Power.choices
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "power" in self.fields:
            self.initial["power"] = powers.power_of(self.instance)
            offered = [power for power in Power if power != Power.BY_HAND or self.initial["power"] == power]
            self.fields["power"].choices = [(power.value, power.label) for power in offered]

    def clean(self) -> dict[str, Any]:
        powers.hold(self.instance)
        given = super().clean() or self.cleaned_data
        try:
            if not given.get("is_active", True) and self.instance.is_active:
                powers.check_may_leave(self.instance)
            if "power" in given:
                powers.check_may_give(self.instance, Power(given["power"]), by=self.asker)
        except powers.Refused as refused:
            raise ValidationError(str(refused)) from None
        return given


class NewPersonForm(UserCreationForm):
    def clean_email(self) -> str:
        """Also none that somebody else has proven to be theirs, besides the one they sign in with."""
        email: str = self.cleaned_data["email"]
        if EmailAddress.objects.filter(email__iexact=email, verified=True).exists():
            raise ValidationError(_("%(email)s is somebody else's already.") % {"email": email})
        return email


@admin.register(User)
class UserAdmin(Meanwhile, Listed, DjangosUserAdmin, ModelAdmin):
    """People are switched off, never deleted: what they did stays theirs."""

    form, add_form, change_password_form = PersonForm, NewPersonForm, AdminPasswordChangeForm
    ordering = ["email"]
    search_fields = ["email", "first_name", "last_name", "membership__organization__name"]
    list_display = ["email", linked("organization", gettext_lazy("organization")), "is_staff", "is_superuser"]
    list_display += ["second_factor"]
    list_display += ["is_active", ago("last_login", gettext_lazy("last signed in"))]
    list_filter_submit = True
    list_filter = ["is_staff", "is_superuser", "groups", "is_active"]
    list_filter += [("membership__organization", AutocompleteSelectFilter)]
    list_select_related = ["membership__organization"]
    readonly_fields = ["last_login", "date_joined", "password_link", "shown_power"]
    fieldsets = [
        (None, {"fields": ["email", "first_name", "last_name", "power", "is_active", "password_link"]}),
        (gettext_lazy("Times"), {"fields": ["last_login", "date_joined"], "classes": ["tab"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "usable_password", "password1", "password2"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        codes = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
        return super().get_queryset(request).annotate(has_second_factor=Exists(codes))

    @display(description=gettext_lazy("second factor"), boolean=True, ordering="has_second_factor")
    def second_factor(self, user: User) -> bool:
        return user.has_second_factor  # type: ignore[attr-defined]

    @display(description=gettext_lazy("password"))
    def password_link(self, user: User) -> str:
        link = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('<a class="text-link" href="{}">{}</a>', link, _("Set another"))

    @display(description=gettext_lazy("role at the 3PL"))
    def shown_power(self, user: User) -> str:
        return str(powers.power_of(user).label)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only a superuser decides who may do what here; others see it."""
        found = super().get_fieldsets(request, obj)
        if obj is None or request.user.is_superuser:
            return found
        first, *others = found
        shown = ["shown_power" if name == "power" else name for name in first[1]["fields"]]
        return [(first[0], {**first[1], "fields": shown}), *others]

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.asker = request.user
        return form

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        team = obj.organization
        actor = replace(actor_of(request), organization_id=team and team.pk)
        if not change:
            obj.trust_email()
            record(actor, "user.add", on=obj, after={"email": obj.email})
            return
        if "power" in form.cleaned_data:
            powers.give(obj, Power(form.cleaned_data["power"]), actor=actor)
        names = [name for name in form.changed_data if name not in {"power", "is_active"}]
        if names:
            before = {name: said(form.initial.get(name)) for name in names}
            record(actor, "user.change", on=obj, before=before, after={name: getattr(obj, name) for name in names})
        if "is_active" in form.changed_data:
            record(actor, f"user.{'activate' if obj.is_active else 'deactivate'}", on=obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Another password for somebody, by hand. It ends their sessions everywhere."""
        with transaction.atomic():
            answer = super().user_change_password(request, id, form_url)
            if request.method == "POST" and answer.status_code == 302:
                person = self.get_object(request, id)
                record(actor_of(request), "user.password", on=person)
        return answer

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """The address is what they sign in with. A role is no field of a form that others than superusers send."""
        fixed = list(super().get_readonly_fields(request, obj)) + (["email"] if obj else [])
        return fixed if request.user.is_superuser else [*fixed, "power"]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        beyond = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not beyond

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Group)
class GroupAdmin(Meanwhile, Trailed, Listed, DjangosGroupAdmin, ModelAdmin):
    """The two roles are kept by us; a superuser may make others."""

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_ours(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_ours(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        super().delete_queryset(request, queryset.exclude(name__in=powers.GROUPS))


def _is_ours(group: Group | None) -> bool:
    return group is not None and group.name in powers.GROUPS


@admin.register(EmailAddress)
class EmailAddressAdmin(Meanwhile, Trailed, Choosing, Listed, AllauthEmailAddressAdmin, ModelAdmin):
    list_select_related = ["user"]
    autocomplete_fields = ["user"]
    raw_id_fields = ()
    actions = ["trust"]

    @action(description=gettext_lazy("Theirs: no mail has to confirm it"), permissions=["change"])
    def trust(self, request: HttpRequest, chosen: QuerySet[EmailAddress]) -> None:
        """allauth's own would be for whoever may look."""
        for address in chosen.filter(verified=False):
            if address.set_verified():
                record(actor_of(request), "emailaddress.trust", on=address)
                messages.success(request, _("%(email)s is theirs.") % {"email": address.email})
            else:
                messages.error(request, _("%(email)s is somebody else's already.") % {"email": address.email})


@admin.register(Authenticator)
class AuthenticatorAdmin(Trailed, ReadOnlyAdmin):
    """Second factors. Who lost their phone gets theirs deleted, and adds another at the next sign-in."""

    fields = ["user", "type", "created_at", "last_used_at"]
    list_display = [linked("user", gettext_lazy("person")), "type"]
    list_display += [ago("created_at", gettext_lazy("added")), ago("last_used_at", gettext_lazy("last used"))]
    list_display_links = ["type"]
    list_filter = ["type"]
    list_select_related = ["user"]
    search_fields = ["user__email"]

    def has_delete_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        return request.user.has_perm("mfa.delete_authenticator")


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = ["user", "role", "created_at"]
    readonly_fields = ["created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user")


class InvitationInline(ReadOnlyInline):
    model = Invitation
    fields = ["email", "role", "sent_at", "expires_at", "accepted_at"]
    readonly_fields = ["sent_at", "expires_at", "accepted_at"]


class BrandInline(ReadOnlyInline):
    model = Brand
    fields = ["name", "source"]
    readonly_fields = ["source"]


class StoreInline(ReadOnlyInline):
    model = Store
    fields = ["name", "address"]


@admin.register(Organization)
class OrganizationAdmin(Meanwhile, Trailed, Listed, ModelAdmin):
    """Customers. One leaves by disconnecting its stores; its rows stay as the record of what was done."""

    search_fields = ["name", "=id", "memberships__user__email"]
    list_display = ["name", "is_active", ago("created_at", gettext_lazy("customer since"))]
    list_filter = ["is_active"]
    fields = ["name", "is_active", "id", "created_at"]
    readonly_fields = ["is_active", "id", "created_at"]
    inlines = [MembershipInline, InvitationInline, BrandInline]
    actions = ["deactivate", "activate"]

    @action(description=gettext_lazy("Close: nobody sees its data, and nothing works for it"), permissions=["change"])
    def deactivate(self, request: HttpRequest, chosen: QuerySet[Organization]) -> HttpResponse:
        def do(given: dict[str, Any]) -> HttpResponse:
            closed = [str(one) for one in chosen if closing.deactivate(one, by=actor_of(request))]
            messages.success(request, _("Closed: %(names)s.") % {"names": ", ".join(closed) or "–"})
            return redirect(request.get_full_path())

        point = _("Nobody sees its data, its keys are refused, and its syncs wait. It can be opened again.")
        names = [str(one) for one in chosen]
        return ask_about(self, request, chosen, action="deactivate", point=point, names=names, do=do)

    @action(description=gettext_lazy("Open again"), permissions=["change"])
    def activate(self, request: HttpRequest, chosen: QuerySet[Organization]) -> None:
        opened = [str(one) for one in chosen if closing.activate(one, by=actor_of(request))]
        messages.success(request, _("Open again: %(names)s.") % {"names": ", ".join(opened) or "–"})

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        return False


@admin.register(Brand)
class BrandAdmin(ReadOnlyAdmin):
    fields = ["name", "organization", "id", "source", "ext_id", "stores_listed_at"]
    list_display = ["name", linked("organization", gettext_lazy("organization")), "source"]
    list_display += [ago("stores_listed_at", gettext_lazy("stores listed"))]
    list_filter = [BY_ORGANIZATION]
    list_select_related = ["organization"]
    search_fields = ["name", "=id", "=ext_id", "organization__name"]
    inlines = [StoreInline]


@admin.register(Store)
class StoreAdmin(ReadOnlyAdmin):
    fields = ["name", "address", "brand", "organization", "id", "ext_id"]
    list_display = ["name", "address", linked("brand", gettext_lazy("brand"))]
    list_display += [linked("organization", gettext_lazy("organization"))]
    list_filter = [BY_ORGANIZATION]
    list_select_related = ["brand", "organization"]
    search_help_text = gettext_lazy("Name, address, id (ours or the platform's), organization, or a member's email")
    search_fields = ["name", "address", "=id", "=ext_id", "organization__name"]
    search_fields += ["organization__memberships__user__email"]


class MembershipForm(ModelForm):
    def clean_role(self) -> str:
        """An organization always keeps an owner. Its row is the lock, as wherever else roles change."""
        role = self.cleaned_data["role"]
        if self.instance.pk and role != Role.OWNER:
            Organization.objects.select_for_update().get(pk=self.instance.organization_id)
            if self.instance.is_last_owner():
                raise ValidationError(_("There must be one owner at least. Make somebody else an owner first."))
        return role


@admin.register(Membership)
class MembershipAdmin(Meanwhile, Trailed, Choosing, Listed, ModelAdmin):
    form = MembershipForm
    list_display = ["user", linked("organization", gettext_lazy("organization")), "role"]
    list_display += [ago("created_at", gettext_lazy("joined"))]
    list_filter_submit = True
    list_filter = ["role", BY_ORGANIZATION]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "organization__name"]
    autocomplete_fields = ["user", "organization"]
    fields = ["user", "organization", "role", "created_at"]
    actions = None

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        return ["created_at", "user", "organization"] if obj else ["created_at"]

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_last_owner())


@admin.register(Invitation)
class InvitationAdmin(Trailed, Choosing, ReadOnlyAdmin):
    """Adding one sends its link; so does sending it again, and the link before stops working."""

    list_display = ["email", linked("organization", gettext_lazy("organization")), "role", "state"]
    list_display += [ago("sent_at", gettext_lazy("sent")), linked("invited_by", gettext_lazy("invited by"))]
    list_filter = ["role", BY_ORGANIZATION]
    list_select_related = ["organization", "invited_by"]
    search_fields = ["email", "organization__name"]
    autocomplete_fields = ["organization"]
    add_fieldsets = [(None, {"fields": ["organization", "email", "role"]})]
    fields = ["email", "organization", "role", "state", "invited_by", "sent_at", "expires_at", "accepted_at"]
    readonly_fields = ["state", "invited_by", "sent_at", "expires_at", "accepted_at"]
    actions = ["send_again"]

    @display(description=gettext_lazy("state"))
    def state(self, invitation: Invitation) -> str:
        if invitation.accepted_at:
            return label(_("Accepted"), kind="success")
        return label(_("Expired"), kind="warning") if invitation.is_expired else label(_("Open"), kind="info")

    def has_add_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return request.user.has_perm("accounts.add_invitation")

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return request.user.has_perm("accounts.delete_invitation")

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().add_view(request, *args, **kwargs)
        except inviting.CannotInvite as problem:
            messages.error(request, str(problem))
            typed = {name: request.POST.get(name, "") for name in ("organization", "email", "role")}
            return redirect(f"{request.path}?{urlencode(typed)}")

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        who: dict[str, Any] = {"by": request.user, "address": address_of(request)}
        sent = inviting.invite(obj.organization, email=obj.email, role=obj.role, **who)
        obj.pk = sent.pk
        obj.refresh_from_db()

    @action(description=gettext_lazy("Send the link again"), permissions=["add"])
    def send_again(self, request: SignedIn, chosen: QuerySet[Invitation]) -> None:
        for invitation in chosen.select_related("organization"):
            try:
                inviting.send(invitation, by=request.user, address=address_of(request))
            except inviting.CannotInvite as problem:
                messages.warning(request, str(problem))
            else:
                messages.success(request, _("We sent a new link to %(email)s.") % {"email": invitation.email})


@admin.site.admin_view
@transaction.atomic
def own_password(request: SignedIn) -> HttpResponse:
    """The admin's own page for another password, with an entry in the audit trail."""
    answer = admin.site.password_change(request)
    if request.method == "POST" and answer.status_code == 302:
        record(actor_of(request), "user.password", on=request.user)
    return answer
