"""`/api/v1/shipping_rates`: the ways in which Pio ships. That they are listed at all is a gap, filled here."""

from django.http import HttpRequest, HttpResponse, JsonResponse

RATES = {"standard": "Standard (2 to 4 days)", "express": "Express (next day)", "pickup": "Pick-up point"}


def page(request: HttpRequest) -> HttpResponse:
    """All of them, the same for each shop."""
    rates = [{"id": rate, "name": name} for rate, name in RATES.items()]
    return JsonResponse({"data": rates, "next": None})
