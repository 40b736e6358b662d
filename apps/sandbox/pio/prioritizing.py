"""Priority rules: which fulfilments are picked first, and which not at all (contracts 1.7)."""

from apps.sandbox.pio.models import Fulfillment, Order, Organization, PickRule


def judged(order: Order) -> dict[str, int | bool]:
    """What the rules of its organization make of the order: the highest priority that fits, and whether one blocks."""
    fits = [rule for rule in order.shop.organization.pick_rules.all() if rule.value in traits(order, kind=rule.kind)]
    priority = max((rule.priority for rule in fits), default=0)
    return {"priority": priority, "is_blocked": any(rule.blocks for rule in fits)}


def traits(order: Order, *, kind: str) -> list[str]:
    """What a rule of this kind looks at; it fits when its value is among them, exactly."""
    match kind:
        case PickRule.Kind.TAG:
            return order.tags
        case PickRule.Kind.SHOP:
            return [order.shop.ext_shop_id]
    return [order.shipping_method]


def judge_again(organization: Organization) -> None:
    """The rules have changed: what is still to be picked is put in its new order."""
    living = Fulfillment.objects.filter(organization=organization, is_closed=False)
    shop = "order__shop__organization"
    for fulfillment in living.select_related(shop).prefetch_related(f"{shop}__pick_rules"):
        judge(fulfillment)


def judge(fulfillment: Fulfillment) -> None:
    Fulfillment.objects.filter(pk=fulfillment.pk).update(**judged(fulfillment.order))
