"""The one guard on every address we did not write ourselves, and the session all outbound calls go through.

The rule (which addresses are public) was checked against 40 hostile ones; Python's `is_private` lets 11 of them pass.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

CONNECT_SECONDS = 5
READ_SECONDS = 15  # of silence
HEAD_SECONDS = BODY_SECONDS = 20  # however busily it trickles in
MAX_BYTES = 16 * 1024 * 1024

PUBLIC_V6 = ipaddress.ip_network("2000::/3")
SPECIAL_V6 = [ipaddress.ip_network(n) for n in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
SPECIAL_V4 = [
    ipaddress.ip_network(n)
    for n in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip

# Where other kinds of servers listen, which might take a line of ours for a command. Below 1024 only those of the web.
WEB_PORTS = {80, 443}
NO_WEB_PORTS = {
    1433, 1521, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5671, 5672, 5900, 5984, 6000, 6379,
    6380, 6432, 6443, 6665, 6666, 6667, 6668, 6669, 6697, 7000, 7001, 8086, 8125, 9042, 9092, 9200, 9300, 10250,
    11211, 15672, 25672, 27017, 50000,
}  # fmt: skip
LONGEST_URL = 2000


def own_name() -> str:
    """How we introduce ourselves to other servers, and know a message of ours that comes back."""
    return f"Crossdock (+{settings.PUBLIC_URL})"


class AddressRefused(ValueError):
    """This address may not be called from here. The text is for the person who typed it, in their language."""


def is_public(address: str) -> bool:
    """Whether a literal IP address is one on the public Internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in SPECIAL_V4)
    return ip in PUBLIC_V6 and not any(ip in network for network in SPECIAL_V6)


def is_trusted(host: str, port: int | None) -> bool:
    """Whether the operator named this host, as a connector's address or among the allowed private hosts."""
    named = [known["URL"] for known in settings.CONNECTOR_ENVIRONMENT.values()]
    named += [f"//{entry}" for entry in settings.EGRESS_ALLOWED_HOSTS]
    places = [urlsplit(address) for address in named if address]
    return any(place.hostname == host and place.port in {None, port} for place in places)


def vet(host: str, port: int) -> list[str]:
    """The literal addresses to dial for a host, one of each family, in the resolver's order.

    Raises AddressRefused unless every answer is public, OSError when there is none.
    """
    try:
        answers = [(info[0], str(info[4][0])) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError:
        raise AddressRefused(_("%(host)s is not the name of a server.") % {"host": host}) from None
    if not is_trusted(host, port) and not all(is_public(address) for _family, address in answers):
        raise AddressRefused(_("%(host)s is not an address on the public Internet.") % {"host": host})
    of_each_family = dict(reversed(answers))
    return [of_each_family[family] for family in dict.fromkeys(family for family, _address in answers)]


def check_url(url: str) -> None:
    """Refuse a typed address that can never be called: not https, a login inside it, or a private host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressRefused(_("%(url)s is not a web address.") % {"url": url}) from None
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        raise AddressRefused(_("Give the plain address, like https://shop.example.com."))
    if parts.scheme not in {"https", "http"} or (parts.scheme == "http" and not is_trusted(host, port)):
        raise AddressRefused(_("The address must start with https://."))
    try:
        vet(host, port or (443 if parts.scheme == "https" else 80))
    except OSError:
        raise AddressRefused(_("There is no server called %(host)s.") % {"host": host}) from None


def check_receiver(url: str) -> None:
    """Refuse a typed address that no webhook is ever sent to. Its name is looked up.

    Raises AddressRefused.
    """
    host, port = receiver_of(url)
    try:
        vet(host, port)
    except OSError:
        raise AddressRefused(_("There is no server called %(host)s.") % {"host": host}) from None


def receiver_of(url: str) -> tuple[str, int]:
    """The host and port of an address for webhooks, which may have a query, as other addresses may not.

    Raises AddressRefused as far as the address alone tells: only the hosts that the operator named may be called
    without TLS, no host on a port of another kind of server, and nothing is sent to ourselves.
    """
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>^`{|}'):
        raise AddressRefused(_("The address holds signs that no web address has, or is too long."))
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", _port_of(parts)
    except ValueError:
        raise AddressRefused(_("%(url)s is not a web address.") % {"url": url}) from None
    if not host or "@" in parts.netloc or "#" in url:
        raise AddressRefused(_("Give a whole address without a login, like https://shop.example.com/webhooks."))
    if parts.scheme != "https" and (parts.scheme != "http" or not is_trusted(host, port)):
        raise AddressRefused(_("The address must start with https://."))
    if port in NO_WEB_PORTS or (port < 1024 and port not in WEB_PORTS):
        raise AddressRefused(_("Webhooks are not sent to port %(port)d.") % {"port": port})
    _check_not_ourselves(host, port)
    return host, port


def _check_not_ourselves(host: str, port: int) -> None:
    """A trusted host may be ours under another name, as on a developer's machine: there the port tells."""
    ours = urlsplit(settings.PUBLIC_URL)
    is_own_name = host.rstrip(".") == ours.hostname
    if (is_own_name and not is_trusted(host, port)) or (port == _port_of(ours) and (is_own_name or _is_loopback(host))):
        raise AddressRefused(_("That is the address of this portal itself."))


def _port_of(parts: SplitResult) -> int:
    """Raises ValueError for what is no port."""
    usual = 443 if parts.scheme == "https" else 80
    return usual if parts.port is None else parts.port


def _is_loopback(host: str) -> bool:
    """As far as the name alone says: localhost, or 127.0.0.1 and its like."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".") == "localhost"


@contextmanager
def _at_most(seconds: float, *, stop: Callable[[], object]) -> Iterator[None]:
    """Raise TimeoutError when reading takes longer. A socket's own time limit begins anew with every byte."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError, RuntimeError, ValueError):  # it ended at this very moment
            stop()

    timer = threading.Timer(seconds, cut)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if late.is_set():
            raise TimeoutError(f"The answer was not complete after {seconds} seconds.")


class _Pinned:
    """Dials the addresses that were vetted, so that a second, different DNS answer is never asked for."""

    _dns_host: str
    port: int
    sock: socket.socket

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        *others, last = vet(name, self.port)
        try:
            for self._dns_host in others:
                with suppress(NewConnectionError, ConnectTimeoutError):
                    return super()._new_conn()  # type: ignore[misc]
            self._dns_host = last
            return super()._new_conn()  # type: ignore[misc]
        finally:
            self._dns_host = name

    def getresponse(self) -> Any:
        with _at_most(HEAD_SECONDS, stop=partial(self.sock.shutdown, socket.SHUT_RD)):
            return super().getresponse()  # type: ignore[misc]


class _HTTPConnection(_Pinned, HTTPConnection):
    pass


class _HTTPSConnection(_Pinned, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class GuardedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class _Guarded:
    """Time limits, no redirects, no proxies from the environment, a size cap, vetted addresses."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.trust_env = False
        self.headers["User-Agent"] = own_name()  # type: ignore[attr-defined]
        for scheme in ("http://", "https://"):
            self.mount(scheme, GuardedAdapter())  # type: ignore[attr-defined]

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """As requests does, but the body is read here, up to MAX_BYTES, whatever the server announces."""
        kwargs.setdefault("timeout", (CONNECT_SECONDS, READ_SECONDS))
        kwargs |= {"allow_redirects": False, "stream": True}
        try:
            response = super().request(method, url, *args, **kwargs)  # type: ignore[misc]
        except AddressRefused as refused:
            raise requests.exceptions.InvalidURL(str(refused)) from refused
        response._content = _body(response)
        return response


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    try:
        with _at_most(BODY_SECONDS, stop=response.raw.shutdown):
            for chunk in response.iter_content(65_536):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise requests.exceptions.ContentDecodingError(f"The answer is larger than {MAX_BYTES} bytes.")
    except TimeoutError as late:
        raise requests.ReadTimeout(str(late)) from late
    finally:
        response.close()
    return bytes(body)


class OutboundSession(_Guarded, requests.Session):
    """For calls that carry a key, or nothing."""


class OutboundOAuthSession(_Guarded, OAuth2Session):
    """For calls that carry an OAuth 2 access token."""
