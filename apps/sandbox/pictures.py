"""Product pictures, drawn on request: the shape says what it is, the id gives the colours."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse

SHAPES = {
    "hats": ('<path d="M70 190c0-75 30-110 80-110s80 35 80 110z"/><ellipse cx="150" cy="195" rx="125" ry="24"/>'),
    "shoes": ('<path d="M50 120h70c12 38 50 52 96 58 26 4 36 18 36 36H50z"/><path d="M44 222h214v16H44z"/>'),
    "gloves": (
        '<path d="M95 240v-80c-18-10-34-30-42-48 6-12 20-10 26-2l16 20V72c0-16 22-16 22 0v44h8'
        "V60c0-16 22-16 22 0v56h8V70c0-16 22-16 22 0v46h8V88c0-14 20-14 20 0v92"
        'c0 24-10 40-16 60z"/>'
    ),
}
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 300" role="img" aria-label="{goods}">'
    '<rect width="300" height="300" fill="hsl({ground} 45% 92%)"/>'
    '<g fill="hsl({hue} {strength}% 42%)" transform="rotate({tilt} 150 150)">{shape}</g></svg>'
)


def picture(request: HttpRequest, *, goods: str, product_id: uuid.UUID) -> HttpResponse:
    """`/pictures/<goods>/<product id>.svg`: the same product always looks the same. 404 for unknown goods."""
    if goods not in SHAPES:
        raise Http404
    number = product_id.int
    drawing = SVG.format(
        goods=goods,
        shape=SHAPES[goods],
        hue=number % 360,
        ground=number // 360 % 360,
        strength=25 + number // 129_600 % 50,
        tilt=number // 6_480_000 % 17 - 8,
    )
    return HttpResponse(drawing, content_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})
