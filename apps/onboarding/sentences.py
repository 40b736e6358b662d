"""What the codes of consent and connecting mean to a store owner."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CONSENT: dict[str, Promise] = {
    "denied": _("%(platform)s told us that you did not agree. Nothing was connected."),
    "refused": _("%(platform)s did not let us in. Nothing was connected."),
    "expired": _("That took a little too long, so the visit to %(platform)s no longer counted."),
    "unknown": _("We could not match your visit to %(platform)s with this page."),
    "other_browser": _("Your visit to %(platform)s was begun in another browser. Please go on in one and the same."),
    "other_user": _("Your visit to %(platform)s was begun by somebody else. Sign in as that person, or begin anew."),
    "wrong_issuer": _("The answer did not come from %(platform)s, so we did not use it."),
    "fewer_scopes": _("%(platform)s did not give us all the permissions we need. Please leave all of them ticked."),
    "other_account": _("You logged in with another account than this store belongs to. Nothing was changed."),
    "unauthorized": _("%(platform)s did not let us in. Nothing was connected."),
    "forbidden": _("That account may not do what we need at %(platform)s. Please use an administrator's."),
    "incomplete_answers": _("Please fill in a key, or a user name with its password."),
    "address_refused": _("That address cannot be used."),
    "disabled": _("This account of %(platform)s is switched off here. Please ask us to switch it on."),
    "not_found": _("There is no %(platform)s at that address."),
    "invalid_grant": _("%(platform)s did not accept the way back. Please try once more."),
    "unreachable": _("%(platform)s could not be reached. Please try again in a few minutes."),
    "timeout": _("%(platform)s took too long to answer. Please try again in a few minutes."),
    "server_error": _("%(platform)s has a problem of its own. Please try again in a few minutes."),
    "rate_limited": _("%(platform)s is very busy. Please try again in a minute."),
    "garbled": _("%(platform)s sent an answer that made no sense. Please try again."),
}
CONSENT_OTHER = _("%(platform)s did not let us in. Please try again; if it happens again, tell us.")

CONNECT: dict[str, Promise] = {
    "unreachable": _("%(platform)s could not be reached, so the store is not connected yet."),
    "timeout": _("%(platform)s took too long to answer, so the store is not connected yet."),
    "server_error": _("%(platform)s has a problem of its own, so the store is not connected yet."),
    "rate_limited": _("%(platform)s is very busy, so the store is not connected yet. Please wait a minute."),
    "garbled": _("%(platform)s sent an answer that made no sense, so the store is not connected yet."),
    "silent_halfway": _("%(platform)s fell silent halfway. We ask it what holds, and finish by ourselves."),
    "id_taken": _("Another store has this ID already. Choose another one."),
    "other_organization": _("Another company has this store connected to us. If it is yours now, please tell us."),
    "unauthorized": _("%(platform)s no longer lets us in. Please log in there again."),
    "not_found": _("%(platform)s does not know this store any more. Please choose another one."),
    "forbidden": _("Your account at %(platform)s may not connect this store."),
}
CONNECT_OTHER = _("%(platform)s refused to connect the store.")

# Of a store that is connected nobody should read that it is "not connected yet".
CHANGE = CONNECT | {
    code: CONSENT[code] for code in ("unreachable", "timeout", "server_error", "rate_limited", "garbled")
}
CHANGE_OTHER = _("%(platform)s refused the new ID. The old one stays.")

KEYS = CONSENT | {
    "unauthorized": _("%(platform)s did not accept what you entered. Please check it and try again."),
}

LIST = CONSENT | {
    "not_found": _("%(platform)s does not know this any more. Please go back and choose again."),
    "repeated_page": _("%(platform)s sent the same part of the list twice. Please try again."),
}
LIST_OTHER = _("%(platform)s did not send the list. Please try again; if it happens again, tell us.")


def of_consent(code: str, *, platform: str) -> str:
    return str(CONSENT.get(code, CONSENT_OTHER)) % {"platform": platform}


def of_keys(code: str, *, platform: str) -> str:
    """Why the address and key that somebody typed did not do."""
    return str(KEYS.get(code, CONSENT_OTHER)) % {"platform": platform}


def of_listing(code: str, *, platform: str) -> str:
    """Why the brands or stores are not all there."""
    return str(LIST.get(code, LIST_OTHER)) % {"platform": platform}


def of_connecting(code: str, *, platform: str) -> str:
    return str(CONNECT.get(code, CONNECT_OTHER)) % {"platform": platform}


def of_changing(code: str, *, platform: str) -> str:
    """Why a connected store has not got its new id."""
    return str(CHANGE.get(code, CHANGE_OTHER)) % {"platform": platform}
