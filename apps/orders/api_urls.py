"""Orders, fulfilments, and the rules they follow (Pio: contracts 1.7; Pipe17: 2.8 and 2.11)."""

from typing import Any

urlpatterns: list[Any] = []
