"""Problems that somebody has set aside."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User

LONGEST_KEY, LONGEST_TITLE = 1_000, 500


class Dismissal(models.Model):
    """Of the problem with this `key`, with a reason. It holds until something new happens: `seen_at` is how new the
    newest was when it was set aside, `count` how many there were. `title` is what the problem said then: it may be gone
    by now; of one that repeats, `count` is 0 from then on, since whatever comes back is new."""

    key = models.CharField(max_length=LONGEST_KEY, unique=True)
    title = models.CharField(max_length=LONGEST_TITLE, blank=True)
    reason = models.CharField(max_length=300)
    seen_at = models.DateTimeField()
    count = models.PositiveIntegerField(db_default=0)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-at"]
        verbose_name = _("dismissed problem")

    def __str__(self) -> str:
        return self.title or self.key
