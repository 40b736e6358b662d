"""The desk's pages in the admin, one module for each subject, and the filters it adds to the lists of other rooms."""

from typing import Any

from django.contrib import admin

from apps.orders.models import Order

from . import cockpit_admin, jobs_admin, looking_admin, problems_admin, searching, views_admin  # noqa: F401 - their pages
from .kinds import KINDS
from .problem_filter import ProblemFilter
from .risk_filter import RiskFilter

site: Any = admin.site
site.also_filtered_by.update({kind.model: [ProblemFilter] for kind in KINDS})
site.also_filtered_by[Order] = [ProblemFilter, RiskFilter]
