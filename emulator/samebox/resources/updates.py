"""UpdateRules: what an Update request makes of what was asked for before, by the names and shapes of its members."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samebox.wire.schema import Reference

# SM:UpdateAction.Properties, UpdateArtifact, UpdateContext: they overwrite, although others can be removed by name.
_OVERWRITTEN = frozenset({"Properties"})
_DELETED = "DeleteProperties"


@dataclass(frozen=True)
class UpdateRules:
    """What becomes of the members of an Update request.

    `merged`: structures and maps of which the request has a part, and the rest is kept. `removals`: members that name
    keys of a map that go, and the map. All others replace what is there.
    """

    merged: frozenset[str]
    removals: Mapping[str, str]

    def applied(self, spec: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
        """What was asked for, with the changes."""
        given = {name: value for name, value in params.items() if name not in self.removals and name != _DELETED}
        parts = {name: {**spec.get(name, {}), **given[name]} for name in self.merged if name in given}
        changed = {**spec, **given, **parts}
        for name, of in self.removals.items():
            gone = set(params.get(name) or ())
            if gone and of in changed:
                changed[of] = {key: value for key, value in changed[of].items() if key not in gone}
        for member in params.get(_DELETED) or ():
            changed.pop(member, None)
        return changed


def derive(asked: Mapping[str, Reference], changed: Mapping[str, Reference]) -> UpdateRules:
    """Of the members of Create (`asked`) and of Update (`changed`)."""
    removals = {
        f"{name}ToRemove": name
        for name, one in asked.items()
        if one.shape.type == "map" and f"{name}ToRemove" in changed
    }
    in_part = {
        name
        for name, one in changed.items()
        if name in asked and one.shape.type == "structure" and one.shape.name != asked[name].shape.name
    }
    return UpdateRules(frozenset(in_part | set(removals.values()) - _OVERWRITTEN), removals)
