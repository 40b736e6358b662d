"""What webhooks are sent about."""

from django.db import models


class Hat(models.Model):
    sku = models.CharField(max_length=50)
    note = models.TextField()

    def __str__(self) -> str:
        return self.sku
