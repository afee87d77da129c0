"""The registry behind ECR as operations ask it: its own HTTP API, below a path that only we know."""

import http.client
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from samebox.errors import AwsError
from samebox.services.repositories import MANIFESTS

_SECONDS = 30.0
_LARGEST_MANIFEST = 4 * 1024 * 1024  # the registry takes none that is larger
_READS: Mapping[str, str] = MappingProxyType({"accept": ", ".join(MANIFESTS)})


class RegistryClient:
    """Asks the registry at `url()`, which is started when first needed. Threads may share it."""

    def __init__(self, url: Callable[[], str]) -> None:
        self._url = url
        # Connections that no request is on; a list's append and pop are atomic.
        self._kept: list[http.client.HTTPConnection] = []

    def close(self) -> None:
        """Close what is kept."""
        while self._kept:
            self._kept.pop().close()

    def manifest(self, name: str, digest: str) -> bytes | None:
        """A manifest's bytes, None when it is not there."""
        status, body = self._ask("GET", name, digest)
        if status == http.HTTPStatus.NOT_FOUND:
            return None
        if status != http.HTTPStatus.OK:
            raise _unexpected(status, body)
        return body

    def put(self, name: str, digest: str, media_type: str, body: bytes) -> str:
        """Keep a manifest. The registry's code where it refuses it, as `MANIFEST_BLOB_UNKNOWN`; empty where not."""
        status, answer = self._ask("PUT", name, digest, {"content-type": media_type}, body)
        if status == http.HTTPStatus.CREATED:
            return ""
        if status not in (http.HTTPStatus.BAD_REQUEST, http.HTTPStatus.NOT_FOUND):
            raise _unexpected(status, answer)
        try:
            return str(json.loads(answer)["errors"][0]["code"])
        except (ValueError, LookupError, TypeError):
            raise _unexpected(status, answer) from None

    def delete(self, name: str, digest: str) -> None:
        """Forget a manifest. Its layers stay until the registry collects its garbage."""
        status, body = self._ask("DELETE", name, digest)
        if status not in (http.HTTPStatus.ACCEPTED, http.HTTPStatus.NOT_FOUND):
            raise _unexpected(status, body)

    def _ask(
        self, method: str, name: str, digest: str, headers: Mapping[str, str] = _READS, body: bytes | None = None
    ) -> tuple[int, bytes]:
        place = urlsplit(self._url())
        while True:
            connection, is_kept = self._connection(place.hostname or "127.0.0.1", place.port)
            try:
                connection.request(method, f"{place.path}/v2/{name}/manifests/{digest}", body, headers)
                answer = connection.getresponse()
                status, read = answer.status, answer.read(_LARGEST_MANIFEST)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                # A server may close a kept connection just as it is used again. Each of these requests may be repeated.
                if is_kept:
                    continue
                raise AwsError("ServerException", f"The registry did not answer: {error}", 500) from error
            if answer.isclosed() and not answer.will_close:
                self._kept.append(connection)
            else:
                connection.close()
            return status, read

    def _connection(self, host: str, port: int | None) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it was used before."""
        while self._kept:
            try:
                kept = self._kept.pop()
            except IndexError:
                break  # another thread was faster
            if (kept.host, kept.port) == (host, port):
                return kept, True
            kept.close()  # the registry was started anew
        return http.client.HTTPConnection(host, port, timeout=_SECONDS), False


def _unexpected(status: int, body: bytes) -> AwsError:
    return AwsError("ServerException", f"The registry answered {status}: {body[:200].decode(errors='replace')}", 500)
