"""What Pio takes in request bodies. Fields that it does not know are passed over, as the vendor's framework does."""

from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.http import HttpRequest

from apps.sandbox.json_body import cleaned, json_object
from apps.sandbox.pio.models import Hook

MOST_LINES = 1000
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# It travels in a header of every hook delivery.
PRINTABLE = RegexValidator(r"^[!-~]([ -~]*[!-~])?$", "must be printable ASCII")


class Text(forms.CharField):
    """A text, byte for byte: a number is no text, and nothing is trimmed."""

    def __init__(self, *, max_length: int = 255, **options: object):
        super().__init__(max_length=max_length, strip=False, **options)

    def to_python(self, value: object) -> str:
        if value is not None and not isinstance(value, str):
            raise ValidationError("must be a text")
        return super().to_python(value)


class Texts(forms.JSONField):
    """A list of texts."""

    def to_python(self, value: object) -> list[str]:
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise ValidationError("must be a list of texts")
        return value


class Address(Text):
    """An address on the web."""

    default_validators = [URLValidator(schemes=["http", "https"])]

    def __init__(self, **options: object):
        super().__init__(max_length=2000, **options)


class OwnAddress(Address):
    """An address that Pio or a browser is sent to: https, or http to this machine."""

    def clean(self, value: object) -> str:
        address = super().clean(value)
        parts = urlsplit(address)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValidationError("must be an https address")
        return address


class Part(forms.Field):
    """An object that a form of its own reads; what that does not know is passed over."""

    def __init__(self, form: type[forms.Form], **options: object):
        self.form = form
        super().__init__(**options)

    def to_python(self, value: object) -> dict:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        form = self.form({name: given for name, given in value.items() if name in self.form.base_fields})
        if not form.is_valid():
            raise ValidationError([f"{name}: {texts[0]}" for name, texts in form.errors.items()])
        return form.cleaned_data


class Parts(Part):
    """A list of such objects."""

    def to_python(self, value: object) -> list[dict]:
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > MOST_LINES:
            raise ValidationError(f"must be a list of at most {MOST_LINES} objects")
        return [super(Parts, self).to_python(part) for part in value]


class IntegrationForm(forms.Form):
    name = Text(max_length=100)
    email = forms.EmailField()
    callback_url = OwnAddress()


class ShopForm(forms.Form):
    name = Text(max_length=200)
    ext_shop_id = Text(validators=[PRINTABLE])


class ProductForm(forms.Form):
    """A product as one shop describes it; the fields after `image_src` are kept as they come."""

    name = Text(max_length=1000)
    sku = Text()
    ext_product_id = Text()
    ext_variant_id = Text(required=False)
    image_src = Address(required=False)
    barcodes = Texts(required=False)
    tags = Texts(required=False)
    brand = Text(required=False)
    type = Text(required=False)
    currency = Text(max_length=3, required=False)
    hs_code = Text(max_length=20, required=False)
    country_of_origin = Text(max_length=2, required=False)
    price = forms.FloatField(min_value=0, required=False)
    weight = forms.FloatField(min_value=0, required=False)
    length = forms.FloatField(min_value=0, required=False)
    width = forms.FloatField(min_value=0, required=False)
    height = forms.FloatField(min_value=0, required=False)


class LineForm(forms.Form):
    sku = Text()
    quantity = forms.IntegerField(min_value=1, max_value=1_000_000)
    ext_order_line_item_id = Text(required=False)


class AddressForm(forms.Form):
    """A destination (contracts 1.7)."""

    first_name = Text(required=False)
    last_name = Text(required=False)
    company = Text(required=False)
    address1 = Text(required=False)
    address2 = Text(required=False)
    city = Text(required=False)
    province = Text(required=False)
    zip = Text(required=False)
    country = Text(required=False)
    phone = Text(required=False)
    email = Text(required=False)


class OrderChangeForm(forms.Form):
    """All of an order that can be changed."""

    tags = Texts(required=False)
    notes = Text(max_length=10_000, required=False)
    destination_address = Part(AddressForm, required=False)


class OrderForm(OrderChangeForm):
    ext_order_id = Text()
    ext_fulfillment_order_id = Text(required=False)
    order_number = Text(required=False)
    shipping_method = Text(required=False)
    lines = Parts(LineForm)

    def clean_lines(self) -> list[dict]:
        lines = self.cleaned_data["lines"]
        ids = [line["ext_order_line_item_id"] for line in lines if line["ext_order_line_item_id"]]
        if len(ids) > len(set(ids)):
            raise ValidationError("two lines have one ext_order_line_item_id")
        return lines


class HookForm(forms.Form):
    event_type = forms.ChoiceField(choices=Hook.Event.choices)
    target_url = OwnAddress()


def accepted(form: type[forms.Form], request: HttpRequest, *, over: dict | None = None) -> dict:
    """What the form accepts of the body, laid over `over`. Raises Refused (400, 422)."""
    known = {name: value for name, value in json_object(request).items() if name in form.base_fields}
    return cleaned(form((over or {}) | known))
