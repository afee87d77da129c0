"""Files for container-structure-test and goss that say what those tools can express of the kit's rules.

`assertions.py` has what both may be asked for, `image.py`, `training.py` and `serving.py` ask for it, rule by rule;
`structure.py` and `goss.py` write it in their tool's words, and `reasons.py` knows why they cannot say the rest. Each
test bears its rule's id in its name. What is written depends on the image, on what it claims and on what the command
line gives (payloads, hyperparameters), and on nothing else: no time, no name, no finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from samebox.check.exports import goss, image, serving, structure, training
from samebox.check.exports.text import MARK, Exported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samebox.check.checks import Check, Context

FORMS = ("container-structure-test", "goss")
__all__ = ["FORMS", "MARK", "Exported", "write"]


def write(context: Context, checks: Sequence[Check]) -> list[Exported]:
    """Of the checks that are of interest for what is claimed. Reads the image."""
    chosen = [check for check in checks if check.is_of_interest(context.claims)]
    ids = {check.rule.id for check in chosen}
    tests = [*image.tests(context), *training.tests(context), *serving.tests(context)]
    tests = [test for test in tests if test.rule.id in ids]
    rules = [check.rule for check in chosen]
    return [structure.write(context, rules, tests), goss.write(context, rules, tests)]
