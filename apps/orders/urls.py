"""An organization's orders, for its people and for those who pick by hand."""

from typing import Any

urlpatterns: list[Any] = []
