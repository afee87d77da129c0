"""The running hosts of a job: each one's log is followed to its end, and one failure is the job's."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

from samebox.containers.engine import ContainerState, Engine, EngineError, LogLine
from samebox.jobs.follower import Follower
from samebox.jobs.loglines import LogLines
from samebox.platform.background import Background


class HostRuns:
    """Follows containers, given by their hosts' names. `notify` is called when one of them has ended."""

    def __init__(
        self,
        engine: Engine,
        containers: Mapping[str, str],
        lines: Mapping[str, LogLines],
        notify: Callable[[], None],
        seen: Callable[[Sequence[LogLine]], None] | None,
        give_up_seconds: float,
        background: Background,
    ) -> None:
        self._containers = containers
        self._followers = {
            host: Follower(engine, container, lines[host], notify, background, seen, give_up_seconds=give_up_seconds)
            for host, container in containers.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for follower in self._followers.values():
            follower.close()

    @property
    def done(self) -> bool:
        """Whether all have ended (or are lost) and every line of theirs is written."""
        return all(follower.done for follower in self._followers.values())

    @property
    def running(self) -> list[str]:
        """The containers that have not ended."""
        return [self._containers[host] for host, follower in self._followers.items() if not follower.done]

    @property
    def lost(self) -> EngineError | str | None:
        """Why the end of a host is not known; None while all are well."""
        for follower in self._followers.values():
            if follower.done and follower.state is None:
                return follower.error or "it was removed"
        return None

    @property
    def has_failed(self) -> bool:
        """Whether a host has failed or is lost, so that the others work in vain."""
        return self.lost is not None or any(exit_code(state) for _, state in self.ended())

    @property
    def may_have_lost_the_engine(self) -> bool:
        """Whether the engine may have ended a container: one did not end well, or the engine was away."""
        return any(one.was_away for one in self._followers.values()) or any(exit_code(one) for _, one in self.ended())

    def ended(self) -> Iterator[tuple[str, ContainerState]]:
        """The hosts that have ended, and how."""
        for host, follower in self._followers.items():
            if follower.done and follower.state is not None:
                yield host, follower.state

    def verdict(self) -> tuple[str, ContainerState]:
        """The host whose end is the job's: the first that failed, or the first one where all went well."""
        ended = list(self.ended())
        failed = [one for one in ended if exit_code(one[1])]
        return min(failed or ended[:1], key=lambda one: one[1].finished_at or math.inf)


def exit_code(state: ContainerState) -> int:
    """The exit code of a container that has ended; one without was killed."""
    return 137 if state.exit_code is None else state.exit_code
