"""Exports the rules of the kit as files for container-structure-test and goss, as far as those tools can express them.

`assertions.py` defines what both tools can assert; `image.py`, `training.py` and `serving.py` make assertions for each
rule; `structure.py` and `goss.py` write them in the format of their tool, and `reasons.py` has the reasons for rules
that a tool cannot express. Each test has its rule's id in its name. The output depends only on the image, its claims
and the command line (payloads, hyperparameters): it contains no time, no name and no finding.
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
