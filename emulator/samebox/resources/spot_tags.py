"""Tags of a managed spot training job that order its interruptions."""

import math

# The first interrupts the job at once, again with each new value; `samebox spot interrupt` sets it.
NOW_TAG = "samebox:spot-interrupt"
AFTER_TAG = "samebox:spot-interrupt-after"  # "30 60": seconds of training of the first and the second attempt
AT_TAG = "samebox:spot-interrupt-at"  # a text of a log line


def seconds_of(text: str) -> tuple[float, ...]:
    """The numbers of "30 60", or "30,60", which no tag can hold; what is not a number ends them."""
    found = []
    for word in _words(text):
        try:
            found.append(float(word))
        except ValueError:
            break
    return tuple(found)


def is_seconds(text: str) -> bool:
    """Whether all of it is numbers of seconds."""
    found = seconds_of(text)
    return len(found) == len(_words(text)) and all(math.isfinite(one) and one >= 0 for one in found)


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()
