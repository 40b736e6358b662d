"""Which class `django.contrib.admin.site` is."""

from django.contrib.admin.apps import AdminConfig as DjangosAdminConfig


class AdminConfig(DjangosAdminConfig):
    default_site = "apps.operations.OperationsSite"
