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
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import ModelForm, ValidationError
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

from apps.audit.trail import record
from apps.operations import Choosing, ReadOnlyAdmin, ReadOnlyInline, ago, label, linked

from . import closing, inviting
from .deciding import actor_of
from .models import Brand, Invitation, Membership, Organization, Role, Store, User

for model in (Group, EmailAddress, Authenticator):
    admin.site.unregister(model)

BY_ORGANIZATION = ("organization", AutocompleteSelectFilter)


@admin.register(User)
class UserAdmin(DjangosUserAdmin, ModelAdmin):
    """People are switched off, never deleted: what they did stays theirs."""

    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    ordering = ["email"]
    search_fields = ["email", "first_name", "last_name", "membership__organization__name"]
    list_display = ["email", linked("organization", gettext_lazy("organization")), "is_staff", "second_factor"]
    list_display += ["is_active", ago("last_login", gettext_lazy("last signed in"))]
    list_filter_submit = True
    list_filter = ["is_staff", "is_active", ("membership__organization", AutocompleteSelectFilter)]
    list_select_related = ["membership__organization"]
    readonly_fields = ["last_login", "date_joined", "password_link"]
    fieldsets = [
        (None, {"fields": ["email", "first_name", "last_name", "is_active", "password_link"]}),
        (
            gettext_lazy("The 3PL's own people"),
            {"fields": ["is_staff", "is_superuser", "groups", "user_permissions"], "classes": ["tab"]},
        ),
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

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            obj.trust_email()
        elif "is_active" in form.changed_data:
            team = obj.organization
            actor = replace(actor_of(request), organization_id=team and team.pk)
            record(actor, f"user.{'activate' if obj.is_active else 'deactivate'}", on=obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """The address is what they sign in with. Only a superuser decides who may do what here."""
        fixed = list(super().get_readonly_fields(request, obj)) + (["email"] if obj else [])
        powers = ["is_staff", "is_superuser", "groups", "user_permissions"]
        return fixed if request.user.is_superuser else fixed + powers

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        beyond = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not beyond

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Group)
class GroupAdmin(DjangosGroupAdmin, ModelAdmin):
    pass


@admin.register(EmailAddress)
class EmailAddressAdmin(Choosing, AllauthEmailAddressAdmin, ModelAdmin):
    list_select_related = ["user"]
    autocomplete_fields = ["user"]
    raw_id_fields = ()


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
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
class OrganizationAdmin(ModelAdmin):
    """Customers. One leaves by disconnecting its stores; its rows stay as the record of what was done."""

    search_fields = ["name", "=id", "memberships__user__email"]
    list_display = ["name", "is_active", ago("created_at", gettext_lazy("customer since"))]
    list_filter = ["is_active"]
    fields = ["name", "is_active", "id", "created_at"]
    readonly_fields = ["is_active", "id", "created_at"]
    inlines = [MembershipInline, InvitationInline, BrandInline]
    actions = ["deactivate", "activate"]

    @action(description=gettext_lazy("Close: nobody sees its data, and nothing works for it"), permissions=["change"])
    def deactivate(self, request: HttpRequest, chosen: QuerySet[Organization]) -> None:
        closed = [str(one) for one in chosen if closing.deactivate(one, by=actor_of(request))]
        messages.success(request, _("Closed: %(names)s.") % {"names": ", ".join(closed) or "–"})

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
class MembershipAdmin(Choosing, ModelAdmin):
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
class InvitationAdmin(Choosing, ReadOnlyAdmin):
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
        sent = inviting.invite(obj.organization, email=obj.email, role=obj.role, by=request.user)
        obj.pk = sent.pk
        obj.refresh_from_db()

    @action(description=gettext_lazy("Send the link again"), permissions=["add"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Invitation]) -> None:
        for invitation in chosen.select_related("organization"):
            if invitation.accepted_at:
                messages.warning(request, _("%(email)s has joined already.") % {"email": invitation.email})
            else:
                inviting.send(invitation)
                messages.success(request, _("We sent a new link to %(email)s.") % {"email": invitation.email})
