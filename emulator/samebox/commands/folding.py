"""Folds what sagemaker-training logs before a script begins: about 150 lines that are the same for every job.

That is the whole environment, and a complaint about each hyperparameter that is not JSON. A line is left out only
between the toolkit's first and last line of it; a dump that does not end is shown.
"""

import re

_TOOLKIT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} sagemaker[-_](?:training|containers)\S* +INFO +(.*)")
_BEGIN = "Invoking user script"
_PARTS = ("Training Env:", "Environment variables:", "Invoking script with the following command:")
_NOTES = (
    "No GPUs detected",
    "No Neurons detected",
    "Failed to parse hyperparameter ",
    "instance_groups entry not present in resource_config",
)
_OF_NOTE = "Returning the value itself"
_MOST_HELD = 2000  # lines of an environment
_EMPTY_BELOW = 2  # lines below the command


class LogFolding:
    """The lines of one log, in order. `folded` counts what was left out so far."""

    def __init__(self) -> None:
        self.folded = 0
        self._held: list[str] = []  # of a dump that has begun
        self._part = 0
        self._value_follows = False
        self._empty_follow = 0

    def feed(self, line: str) -> list[str]:
        """What of it, and of what was held back, is to be shown."""
        if self._held:
            return self._in_dump(line)
        self._empty_follow -= 1
        if self._empty_follow >= 0 and not line.strip():
            self.folded += 1
            return []
        said = _TOOLKIT.fullmatch(line)
        if said is not None and said.group(1).startswith(_NOTES):
            self._value_follows = said.group(1).startswith("Failed to parse")
            self.folded += 1
            return []
        if self._value_follows and line == _OF_NOTE:
            self._value_follows = False
            self.folded += 1
            return []
        if said is not None and said.group(1) == _BEGIN:
            self._held, self._part = [line], 0
            return []
        return [line]

    def end(self) -> list[str]:
        """What is still held back when the log has ended."""
        held, self._held = self._held, []
        return held

    def _in_dump(self, line: str) -> list[str]:
        self._held.append(line)
        if self._part == len(_PARTS):
            # The command, between empty lines, is worth a line.
            if not line.strip():
                return []
            self.folded += len(self._held) - 1
            self._held, self._empty_follow = [], _EMPTY_BELOW
            return [line]
        if line == _PARTS[self._part]:
            self._part += 1
        elif (self._part == 0 and line.strip()) or len(self._held) > _MOST_HELD:
            return self.end()
        return []
