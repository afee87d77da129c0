"""Requests to a model: to its one container, or through a pipeline of several (contract.md §2.7, §3).

Each further container gets the body and the media type of the response before; the job's `Accept` is the last one's, so
that the others answer as their variable SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT says.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from samebox.jobs.invoker import ContainerResponse, InvocationFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from samebox.jobs.invoker import Buffer, Invoker


class ModelInvoker:
    """The containers of one model by their names; threads may share it. `most` bytes pass from one to the next."""

    def __init__(self, containers: Sequence[tuple[str, Invoker]], most: int) -> None:
        self._names = [name for name, _ in containers]
        self._invokers = [invoker for _, invoker in containers]
        self._most = most

    def parameters(self) -> Mapping[str, Any]:
        """What the first container answers to /execution-parameters: it is the one that gets the job's payloads.

        Choice: of pipelines AWS's rule is not known.
        """
        return self._invokers[0].parameters()

    def invoke(self, body: Sequence[Buffer]) -> Sequence[bytes]:
        """The response to a payload, whole. Raises InvocationFailed, which names the container of a pipeline."""
        with self._named(0):
            response = self._invokers[0].invoke(body)
        for number in range(1, len(self._invokers)):
            pieces = self._passed(number, response)
            with self._named(number):
                response = self._invokers[number].invoke(pieces, response.content_type)
        return list(response.pieces)

    @contextlib.contextmanager
    def stream(self, body: Callable[[], Iterable[Buffer]]) -> Iterator[Iterable[bytes]]:
        """The response to a body of any length, piece by piece: the first request and the last response are streamed.

        Raises InvocationFailed.
        """
        last = len(self._invokers) - 1
        content_type = ""
        for number in range(last):
            with self._named(number), self._invokers[number].stream(body, content_type) as response:
                pieces, content_type = self._passed(number + 1, response), response.content_type
            body = _given(pieces)
        with self._named(last), self._invokers[last].stream(body, content_type) as response:
            yield response.pieces

    def finish(self) -> None:
        """Close the connections, once no thread uses one."""
        for one in self._invokers:
            one.finish()

    def close(self) -> None:
        """End the requests under way, from any thread."""
        for one in self._invokers:
            one.close()

    def _passed(self, number: int, response: ContainerResponse) -> Sequence[bytes]:
        """What the container gets as its request. The words are AWS's ("Troubleshoot Inference Pipelines")."""
        pieces, size = list[bytes](), 0
        for piece in response.pieces:
            size += len(piece)
            if size <= self._most:  # of a larger one only the size is wanted
                pieces.append(piece)
        if size > self._most:
            before, name = self._names[number - 1], self._names[number]
            raise InvocationFailed(
                [
                    f"Received response from {before} with status code 200. However, the request payload from {before} "
                    f"to {name} is {size} bytes, which has exceeded the maximum limit of {self._most >> 20} MB."
                ]
            )
        return pieces

    @contextlib.contextmanager
    def _named(self, number: int) -> Iterator[None]:
        """Name the container that has failed, where there are several. Choice: AWS's form of it is not known."""
        try:
            yield
        except InvocationFailed as failed:
            if len(self._names) == 1 or failed.lines[0].startswith("Received response from"):
                raise
            raise InvocationFailed([f"{self._names[number]}: {failed.lines[0]}", *failed.lines[1:]]) from failed


def _given(pieces: Sequence[bytes]) -> Callable[[], Iterable[Buffer]]:
    return lambda: pieces
