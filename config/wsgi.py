"""Production entry: gunicorn config.wsgi."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
# All views are loaded now, and not while the first caller waits. What is there by now stays: a full collection that
# walks it as well takes 150 ms, in which nobody is answered.
get_resolver().url_patterns  # noqa: B018
gc.freeze()
