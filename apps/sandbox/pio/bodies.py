"""What Pio takes in request bodies. Fields that it does not know are passed over, as the vendor's framework does."""

from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.http import HttpRequest

from apps.sandbox.json_body import cleaned, json_object
from apps.sandbox.pio.models import Hook

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


class HookForm(forms.Form):
    event_type = forms.ChoiceField(choices=Hook.Event.choices)
    target_url = OwnAddress()


def accepted(form: type[forms.Form], request: HttpRequest, *, over: dict | None = None) -> dict:
    """What the form accepts of the body, laid over `over`. Raises Refused (400, 422)."""
    known = {name: value for name, value in json_object(request).items() if name in form.base_fields}
    return cleaned(form((over or {}) | known))
