"""A sync run, and how long ago something was, in words, for templates."""

from datetime import datetime, timedelta

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.syncs import sentences
from apps.syncs.models import SyncRun

register = template.Library()


@register.filter
def ago(moment: datetime) -> str:
    """How long since, as people say it."""
    if timezone.now() - moment < timedelta(minutes=1):
        return _("just now")
    return _("%(time)s ago") % {"time": timesince(moment, depth=1)}


@register.filter
def why_item(code: str) -> str:
    """Why one product could not be told or read."""
    return sentences.why_item(code)


@register.simple_tag
def run_sentence(run: SyncRun) -> str:
    """What went wrong, and what happens now."""
    return f"{sentences.why(run, portal=settings.PORTAL_NAME)} {sentences.what_next(run)}".strip()


@register.simple_tag
def run_next(run: SyncRun) -> str:
    return sentences.what_next(run)


@register.simple_tag
def run_story(run: SyncRun) -> str:
    """One line of the store's history."""
    if run.is_complete:
        return _complete(run)
    if run.state == SyncRun.State.CANCELLED:
        return _("An import was stopped.")
    return sentences.why(run, portal=settings.PORTAL_NAME) or _under_way(run)


def _under_way(run: SyncRun) -> str:
    return _("Your products are being sent there.") if run.kind == SyncRun.Kind.ITEMS else _("Products are arriving.")


def _complete(run: SyncRun) -> str:
    if run.kind == SyncRun.Kind.ITEMS:
        done = ngettext("%(n)d product sent", "%(n)d products sent", run.done)
    else:
        done = ngettext("%(n)d product read", "%(n)d products read", run.done)
    parts = [
        done % {"n": run.done},
        _("%(n)d new") % {"n": run.created_count} if run.created_count else "",
        _("%(n)d changed") % {"n": run.updated_count} if run.updated_count else "",
        _("%(n)d gone") % {"n": run.removed_count} if run.removed_count else "",
        _("%(n)d left out") % {"n": run.failed_count} if run.failed_count else "",
    ]
    story = ", ".join(part for part in parts if part)
    changed = run.created_count or run.updated_count or run.removed_count
    return story if changed else _("%(story)s, all as before") % {"story": story}


@register.filter
def change_words(kind: str, count: int) -> str:
    """What a list of SKU pairs would change, of one kind (`apps.catalog.previewing`)."""
    words = {
        "moved": ngettext("%(n)d listing moves to another product", "%(n)d listings move to other products", count),
        "linked": ngettext("%(n)d listing becomes known", "%(n)d listings become known", count),
        "unlinked": ngettext("%(n)d listing would be unknown", "%(n)d listings would be unknown", count),
        "created": ngettext("%(n)d new product", "%(n)d new products", count),
        "archived": ngettext("%(n)d product is not listed any more", "%(n)d products are not listed any more", count),
        "released": ngettext("%(n)d count that waited is used", "%(n)d counts that waited are used", count),
        "published": ngettext(
            "%(n)d listing is told another quantity", "%(n)d listings are told other quantities", count
        ),
    }
    return words[kind] % {"n": count}
