"""The origin policy: requests that a browser sends for a web page are refused, unless the page is ours or allowed.

A browser sends a form or a plain-text POST of any page to any address, without asking; the answer is hidden from the
page, but the request has been carried out. `Origin` and `Sec-Fetch-Site`, which no page can change, identify these
requests: AWS's SDKs and command lines send neither.

Both are missing where the page has our own origin, as DNS rebinding achieves: the page's own name is given our address,
and to the browser we are then the server that the page came from. What is left is the name, in `Host`. So that must be
a name whose address only the owner of this machine can set:

- a loopback address, `localhost` and the names below it, which browsers resolve by themselves;
- 169.254.170.2, where containers reach us; and what `--host` names. An address is never a rebound name;
- names of AWS's S3, which name a bucket at whatever address a tool was given. Their addresses are AWS's to give, and
  none of them is a loopback address. A signature is not asked for: where there is no token, a page can make one;
- other names of AWS where the forward proxy brought the request, by a tunnel or otherwise;
- what the settings add.
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from samebox.errors import AwsError

Headers = Iterable[tuple[bytes, bytes]]

_OURS = frozenset({"localhost", "127.0.0.1", "::1", "169.254.170.2"})
_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn", ".on.aws")
_UNSPECIFIED = frozenset({"0.0.0.0", "::"})  # noqa: S104  (not bound here)
_S3 = re.compile(r"(?:.+\.)?s3[.-].+")
_OTHER_SITES = frozenset({b"cross-site", b"same-site"})
_SHOWN = 200  # characters of a header's value in a message


class ForeignOrigin(AwsError):
    """The request is from a page of an origin that no setting allows. A bucket of S3 may have rules that do."""


@dataclass(frozen=True)
class OriginPolicy:
    """`listening` is the address or name that we listen on. `hosts` may have `*.name` for all names below a name."""

    listening: str = "127.0.0.1"
    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    def check(self, headers: Headers, is_proxied: bool = False) -> str | None:
        """The allowed other origin that a request is from, None for a client that is not a web page, or our own page.

        `is_proxied`: it came by the forward proxy. Raises AwsError (403). Header names are lower case.
        """
        host = origin = site = None
        for name, value in headers:
            if name == b"host":
                if host is not None:
                    raise _refused("A request has one Host header; this one has several.")
                host = value
            elif name == b"origin":
                # Two would be read as one that no setting has.
                origin = value if origin is None else origin + b"," + value
            elif name == b"sec-fetch-site":
                site = value
        # HTTP/1.0 has no Host; every browser sends it.
        if host is not None and not self.knows(host_name(host.decode("latin-1")), is_proxied):
            if is_proxied:
                raise _refused(
                    f"Plain HTTP requests by the emulator's proxy are for AWS's names, and {_shown(host)} is none. "
                    "HTTPS_PROXY alone is needed: unset HTTP_PROXY."
                )
            raise _refused(
                f"The emulator has no name {_shown(host)}, which this request's Host header has. If it is a name of "
                "this machine, SAMEBOX_ALLOWED_HOSTS adds it."
            )
        if origin is not None:
            if origin.decode("latin-1") in self.origins:
                return origin.decode("latin-1")
            if not _is_own(origin, host):
                raise ForeignOrigin(
                    "AccessDeniedException",
                    f"Web pages of {_shown(origin)} may not use this emulator. SAMEBOX_ALLOWED_ORIGINS names those "
                    "that may. Requests to a bucket of S3 may also come from the origins that its CORS rules name.",
                    403,
                )
        if site in _OTHER_SITES:
            raise _refused(f"A web page of another origin may not use this emulator (Sec-Fetch-Site: {_shown(site)}).")
        return None

    def knows(self, name: str, is_proxied: bool = False) -> bool:
        """Whether a request for this host name, without a port and in lower case, can be meant for us."""
        if name in _OURS or name in self.hosts or name == self.listening.lower():
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            above = name.partition(".")[2]
            while above:
                if above == "localhost" or f"*.{above}" in self.hosts:
                    return True
                above = above.partition(".")[2]
            return name.endswith(_AWS) and (is_proxied or _S3.fullmatch(name) is not None)
        return address.is_loopback or self.listening in _UNSPECIFIED


def host_name(host: str) -> str:
    """The name in a Host header or behind an origin's scheme: without a port or a last dot, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().removesuffix(".")


def _is_own(origin: bytes, host: bytes | None) -> bool:
    # A page that we served: its origin is where it now sends a request to. Objects of S3 that a browser shows have
    # the origin `null` (traffic/s3.py).
    scheme, _, place = origin.partition(b"://")
    return scheme in (b"http", b"https") and host is not None and place.lower() == host.lower() and not _is_aws(host)


def _is_aws(host: bytes) -> bool:
    return host_name(host.decode("latin-1")).endswith(_AWS)


def _shown(value: bytes | None) -> str:
    return repr((value or b"").decode("latin-1")[:_SHOWN])


def _refused(message: str) -> AwsError:
    return AwsError("AccessDeniedException", message, 403)
