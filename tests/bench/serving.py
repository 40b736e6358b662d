"""What gunicorn serves in a bench: the portal, and what it is held against."""

from config.wsgi import application

from . import shop_floor

__all__ = ["application", "shop_floor"]
