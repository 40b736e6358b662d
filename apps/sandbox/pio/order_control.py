"""Pio's part of the control endpoint about orders: its ledger of them, the port, its rules. Manual: control.py."""

from django import forms
from django.db import transaction
from django.db.models import Count, Prefetch, Q
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, JsonResponse

from apps.sandbox.errors import Refused
from apps.sandbox.json_body import cleaned, json_object
from apps.sandbox.loopback import control
from apps.sandbox.pio import picking
from apps.sandbox.pio.bodies import Parts
from apps.sandbox.pio.control import lines
from apps.sandbox.pio.fulfillments import line_shown, shown, whole
from apps.sandbox.pio.models import AutoPick, Fulfillment, Order, OrderLine, Organization, PickRule
from apps.sandbox.pio.moving import NotThere
from apps.sandbox.pio.prioritizing import judge_again

PAIR = ("shop", "ext_order_id", "ext_fulfillment_order_id")


class SendForm(forms.Form):
    pieces = forms.Field(required=False)
    rest_follows = forms.BooleanField(required=False)
    carrier = forms.CharField(max_length=100, required=False)
    number = forms.CharField(max_length=100, required=False)
    url = forms.CharField(max_length=2000, required=False)

    def clean_pieces(self) -> dict[str, int] | None:
        pieces = self.cleaned_data["pieces"]
        if pieces is None:
            return None
        if not isinstance(pieces, dict) or not all(type(quantity) is int for quantity in pieces.values()):
            raise forms.ValidationError("must be an object of numbers")
        return pieces


class RejectForm(forms.Form):
    reason = forms.CharField(max_length=1000)


class RuleForm(forms.ModelForm):
    priority = forms.IntegerField(min_value=-1_000_000, max_value=1_000_000, required=False)

    class Meta:
        model = PickRule
        fields = ["kind", "value", "blocks"]

    def clean_priority(self) -> int:
        return self.cleaned_data["priority"] or 0


class RulesForm(forms.Form):
    organization = forms.ModelChoiceField(Organization.objects.all(), required=False)
    rules = Parts(RuleForm, required=False)


class AutoPickForm(forms.ModelForm):
    delay = forms.FloatField(min_value=0, max_value=86_400, required=False)

    class Meta:
        model = AutoPick
        fields = ["enabled"]


@control("GET")
def orders(request: HttpRequest) -> HttpResponse:
    """Every order that was ever accepted, deleted ones included, as JSON lines in the order of their acceptance."""
    own = Prefetch("lines", OrderLine.objects.order_by("pk"))
    rows = Order.objects.order_by("pk").select_related("fulfillment").prefetch_related(own)
    return lines(rows.iterator(chunk_size=500), order_shown)


def order_shown(order: Order) -> dict:
    fulfillment = getattr(order, "fulfillment", None)
    return {
        **model_to_dict(order),
        "accepted_at": order.accepted_at.isoformat(),
        "fulfillment": fulfillment and {"id": fulfillment.pk, "state": fulfillment.state},
        "lines": [line_shown(line) for line in order.lines.all()],
    }


@control("GET")
def pairs(request: HttpRequest) -> HttpResponse:
    """How many orders were accepted under how many pairs of external ids, and each pair that has more than one."""
    found = Order.objects.values(*PAIR).annotate(count=Count("pk"), living=Count("pk", ~Q(step="deleted")))
    repeated = found.filter(count__gt=1).order_by(*PAIR)
    total = {"accepted": Order.objects.count(), "pairs": found.count()}
    return JsonResponse(total | {"more_than_once": list(repeated)})


@control("GET")
def fulfillments(request: HttpRequest) -> HttpResponse:
    """Every fulfilment as the API shows it, with its priority, in the order of the pick list."""
    rows = whole().order_by("organization", "-priority", "pk")
    return lines(rows.iterator(chunk_size=500), fulfillment_shown)


def fulfillment_shown(fulfillment: Fulfillment) -> dict:
    about = {"shop": fulfillment.order.shop_id, "ext_shop_id": fulfillment.order.shop.ext_shop_id}
    return shown(fulfillment) | about | {"priority": fulfillment.priority, "blocked": fulfillment.is_blocked}


@control("POST")
def start(request: HttpRequest, *, fulfillment_id: int) -> HttpResponse:
    return worked(fulfillment_id, deed=picking.start)


@control("POST")
def send(request: HttpRequest, *, fulfillment_id: int) -> HttpResponse:
    """Send all that is left, or of each line so many `pieces` by ext_order_line_item_id."""
    wanted = cleaned(SendForm(json_object(request)))
    if wanted["pieces"] is not None:
        own = OrderLine.objects.filter(order__fulfillment=fulfillment_id)
        ids = dict(own.values_list("pk", "ext_order_line_item_id"))
        wanted["pieces"] = {pk: wanted["pieces"].get(ext_id, 0) for pk, ext_id in ids.items()}
    return worked(fulfillment_id, deed=picking.send, **wanted)


@control("POST")
def reject(request: HttpRequest, *, fulfillment_id: int) -> HttpResponse:
    return worked(fulfillment_id, deed=picking.end, **cleaned(RejectForm(json_object(request))))


def worked(fulfillment_id: int, *, deed: object, **details: object) -> HttpResponse:
    """What became of the fulfilment. Raises Refused: 404, and 409 when the port cannot do that now."""
    fulfillment = Fulfillment.objects.filter(pk=fulfillment_id).first()
    if fulfillment is None:
        raise Refused(404, "Fulfillment not found")
    try:
        deed(fulfillment, **details)
    except (picking.NotNow, NotThere) as problem:
        raise Refused(409, str(problem)) from None
    return JsonResponse(shown(whole().get(pk=fulfillment_id)))


@control("GET", "PUT")
def pick_rules(request: HttpRequest) -> HttpResponse:
    """PUT replaces the rules of an organization, the first one unless given."""
    if request.method == "PUT":
        wanted = cleaned(RulesForm(json_object(request)))
        organization = wanted["organization"] or Organization.objects.earliest("pk")
        with transaction.atomic():
            organization.pick_rules.all().delete()
            PickRule.objects.bulk_create(PickRule(organization=organization, **rule) for rule in wanted["rules"])
            judge_again(organization)
    return JsonResponse({"rules": [model_to_dict(rule, exclude=["id"]) for rule in PickRule.objects.order_by("pk")]})


@control("GET", "PUT")
def auto_pick(request: HttpRequest) -> HttpResponse:
    if request.method == "PUT":
        wanted = cleaned(AutoPickForm(json_object(request)))
        AutoPick.objects.update_or_create(pk=1, defaults=wanted | {"delay": wanted["delay"] or 0})
    return JsonResponse(model_to_dict(AutoPick.current(), exclude=["id"]))
