"""What gunicorn serves in the bench of propagation: the portal, and its peers."""

from config.wsgi import application

from . import dock

__all__ = ["application", "dock"]
