"""ImageApi on Docker."""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote

from docker import auth, utils

from samebox.containers.docker_http import (
    WORK_SECONDS,
    Conflict,
    DockerArchive,
    DockerHTTP,
    broken_connections_are_unavailable,
    given_up,
)
from samebox.containers.docker_json import PullTally, facts_of, familiar
from samebox.containers.engine import IMAGE_ID, EngineUnavailable, ImageMissing, OutOfSpace

if TYPE_CHECKING:
    from collections.abc import Callable

    from samebox.containers.engine import ImageFacts, PullProgress


class DockerImages:
    """What the daemon holds, and what a registry gives it."""

    def __init__(self, http: DockerHTTP) -> None:
        self._http = http

    def image(self, reference: str) -> ImageFacts | None:
        try:
            return facts_of(self._http.json("GET", f"/images/{quote(reference, safe='/:@')}/json"))
        except ImageMissing:
            return None

    def pull(
        self,
        reference: str,
        username: str | None = None,
        password: str | None = None,
        progress: Callable[[PullProgress], None] | None = None,
    ) -> ImageFacts:
        if reference.startswith(IMAGE_ID):
            raise ImageMissing(reference)
        repository, tag = utils.parse_repository_tag(reference)
        session, _, address = self._http.connected
        if username is None:
            header = auth.get_config_header(session, auth.resolve_repository_name(repository)[0])
        else:
            header = auth.encode_header({"username": username, "password": password or ""})
        response = self._http.call(
            "POST",
            "/images/create",
            parameters={"fromImage": repository, "tag": tag or "latest"},
            headers={"X-Registry-Auth": header.decode()} if header else {},
            seconds=WORK_SECONDS,
            stream=True,
            image=reference,
        )
        tally = PullTally()
        with contextlib.closing(response), broken_connections_are_unavailable(address):
            for line in response.iter_lines():
                event = json.loads(line)
                if "error" in event:
                    if "no space left on device" in event["error"]:
                        raise OutOfSpace(event["error"])
                    if given_up(event["error"]):
                        raise EngineUnavailable(event["error"])
                    raise ImageMissing(reference, event["error"])
                reached = tally.add(event)
                if progress is not None:
                    progress(reached)
        facts = self.image(reference)
        if facts is None:
            raise ImageMissing(reference)
        return facts

    def export(self, reference: str) -> BinaryIO:
        response = self._http.call(
            "GET",
            f"/images/{quote(reference, safe='/:@')}/get",
            headers={"Connection": "close"},
            stream=True,
            seconds=WORK_SECONDS,  # before its first byte, a daemon may pack all of it
            image=reference,
        )
        return io.BufferedReader(DockerArchive(response, self._http.connected.address), 1 << 18)

    def tag(self, image: str, name: str) -> None:
        repository, _, tag = name.rpartition(":")
        path = f"/images/{quote(image, safe='/:@')}/tag"
        self._http.call("POST", path, parameters={"repo": repository, "tag": tag}, image=image)

    def untag(self, name: str) -> None:
        with contextlib.suppress(ImageMissing, Conflict):  # Conflict: the last name of what a container needs
            self._http.call("DELETE", f"/images/{quote(name, safe='/:@')}", seconds=WORK_SECONDS, image=name)

    def tags(self, repository: str) -> list[str]:
        filters = json.dumps({"reference": [repository]})
        found = self._http.json("GET", "/images/json", parameters={"filters": filters})
        names = [familiar(name) for entry in found for name in entry.get("RepoTags") or ()]
        return sorted(name for name in names if name.rpartition(":")[0] == repository)

    def untagged(self, registry: str) -> list[str]:
        names = []
        for entry in self._http.json("GET", "/images/json"):
            tagged = {familiar(name).rpartition(":")[0] for name in entry.get("RepoTags") or ()}
            for name in entry.get("RepoDigests") or ():
                repository = name.partition("@")[0]
                if repository.startswith(f"{registry}/") and repository not in tagged:
                    names.append(name)
        return sorted(names)
