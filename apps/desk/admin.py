"""The desk's pages in the admin, one module for each subject."""

from . import cockpit_admin, jobs_admin, looking_admin, problems_admin, searching, views_admin  # noqa: F401 - their pages
