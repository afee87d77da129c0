"""A script's command line as hyperparameters, which sagemaker-training turns back into the same command line.

What the toolkit does (sagemaker-training 4.9.0, environment.read_hyperparameters and mapping.to_cmd_args): each value
is parsed as JSON if possible, `str()` is applied to the result, and the names, sorted, become `--name value`, or
`-n value` for names of one letter. This limits the command lines that can be expressed.
"""

import json
import re
from collections.abc import Sequence

# CreateTrainingJob's own limits (botocore: HyperParameters). Two of the hundred are needed to name the script.
MOST = 98
LONGEST_NAME = 256
LONGEST_VALUE = 2500

# A value may look like an option when it is a number; argparse sees it the same way.
_NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")


class CannotSay(ValueError):
    """This command line cannot be expressed as hyperparameters; the message has the part, and what to write instead."""


def of_arguments(arguments: Sequence[str]) -> dict[str, str]:
    """Hyperparameters from a script's arguments. Raises CannotSay."""
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        option, equals, value = word.partition("=")
        name = _name(word, option)
        if not equals:
            if not rest or _is_option(rest[0]):
                raise CannotSay(
                    f"{option} has no value. SageMaker passes every argument as a pair `--name value`, so a flag must "
                    f"take one: let the script accept `{option} true`."
                )
            value = rest.pop(0)
        if name in found:
            raise CannotSay(f"{option} is given twice; a hyperparameter has one value: join them, as in {option} a,b")
        found[name] = encode(value)
        if len(found[name]) > LONGEST_VALUE:
            raise CannotSay(f"the value of {option} has {len(value)} characters; {LONGEST_VALUE} are allowed.")
    if len(found) > MOST:
        raise CannotSay(f"{len(found)} arguments; {MOST} are allowed.")
    return found


def encode(value: str) -> str:
    """The value as it is where the toolkit would give it back unchanged, else as a JSON string."""
    try:
        read = json.loads(value)
    except ValueError:
        unchanged = "\n" not in value and "\r" not in value  # the API takes no line ends, JSON writes them as \n
    else:
        unchanged = type(read) in (int, float) and str(read) == value
    return value if unchanged else json.dumps(value)


def _name(word: str, option: str) -> str:
    if not _is_option(word):
        raise CannotSay(
            f"{word!r} belongs to no option. SageMaker passes every argument as a pair `--name value`; "
            "positional arguments and several values for one option cannot be passed."
        )
    if option.startswith("--"):
        name = option[2:]
        if len(name) == 1:
            raise CannotSay(f"{option} would arrive as -{name}: a name of one letter gets one dash.")
    else:
        name = option[1:]
        if len(name) > 1:
            raise CannotSay(f"{option} would arrive as --{name}: give {option[:2]} and its value apart, or two dashes.")
    if not name:
        raise CannotSay(f"{word} names no option.")
    if name.startswith("sagemaker_"):
        raise CannotSay(f"{option}: names that start with sagemaker_ are SageMaker's own and do not reach the script.")
    if len(name) > LONGEST_NAME:
        raise CannotSay(f"the name {name[:40]}… has {len(name)} characters; {LONGEST_NAME} are allowed.")
    return name


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-" and not _NEGATIVE.match(word)
