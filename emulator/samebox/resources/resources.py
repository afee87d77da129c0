"""Resources: create, read, list, change and delete anything of any Kind, by the Kind's rules."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from samebox.errors import ValidationException
from samebox.resources import listing
from samebox.resources.derived import Derived, derive, present, tags_of
from samebox.resources.facts import to_json
from samebox.resources.identity import ByArn, ByName, Identified, NewId
from samebox.resources.kind import Kind
from samebox.resources.lifecycle import IllegalMove
from samebox.resources.query import EVERYTHING, Compare, Expression, JsonPath, Query, Scope
from samebox.resources.store import AlreadyThere, Changed, HasParts, Resource, Store
from samebox.wire.caller import Caller
from samebox.wire.models import Models
from samebox.wire.partitions import partition_of
from samebox.wire.schema import Shape
from samebox.wire.shapes import project

Clock = Callable[[], float]


class Resources:
    """Every resource there is. Thread-safe; a change is made again on the newest version where another was faster.

    A resource keeps the ARN that it was made with. `lower_case_arns`: new ones get SageMaker's older form.
    """

    def __init__(
        self, store: Store, models: Models, kinds: tuple[Kind, ...], clock: Clock, lower_case_arns: bool = False
    ) -> None:
        self._store = store
        self._models = models
        self._clock = clock
        self._lower_case_arns = lower_case_arns
        self._kinds = {kind.noun: kind for kind in kinds}
        self._derived: dict[str, Derived] = {}

    @property
    def store(self) -> Store:
        """The store underneath, to subscribe to its changes."""
        return self._store

    def now(self) -> float:
        """Epoch seconds by the emulator's clock."""
        return self._clock()

    def derived(self, kind: Kind) -> Derived:
        """What the model knows of the kind."""
        if kind.noun not in self._derived:
            # Two threads may both derive it; they get the same.
            self._derived[kind.noun] = derive(kind, self._models.service(kind.service))
        return self._derived[kind.noun]

    def kind(self, resource: Resource) -> Kind:
        """The kind of a resource."""
        return self._kinds[resource.kind]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Every kind there is."""
        return tuple(self._kinds.values())

    def create(self, kind: Kind, caller: Caller, params: Mapping[str, Any], facts: object | None = None) -> Resource:
        """Write down what was asked for, in the first stage of its life, with its facts. Raises the kind's `taken`.

        What a resource of ours created, by the caller's `parent`, is a child of that.
        """
        scope = Scope(caller.account, caller.region)
        while True:
            whole = self.whole(kind, caller, params)
            if whole is not None and kind.part_of is not None:
                params = {**params, kind.part_of.member: whole.name}  # its ARN may have been given
            made = self.derived(kind).identity.make(params, _Sources(self._store, kind, scope))
            row = self._row(kind, caller, made, kind.completed(params), facts)
            if whole is not None:
                row = replace(row, parent=whole.arn, state={f"{whole.kind}Arn": whole.arn, **row.state})
            try:
                return self._store.insert(row, made.key, under_parent=whole is not None)
            except Changed:
                continue  # what it is part of went meanwhile
            except AlreadyThere:
                if made.counted:
                    continue
                there = self._store.get(kind.noun, scope, made.key)
                raise kind.taken(there.arn if there else row.arn) from None

    def whole(self, kind: Kind, caller: Caller, params: Mapping[str, Any]) -> Resource | None:
        """What a request names of which resources of the kind are part, if it does. Raises the `missing` of that."""
        part_of = kind.part_of
        if part_of is None or not params.get(part_of.member):
            return None
        whole = self._kinds[part_of.noun]
        return self.named(whole, caller, {self.derived(whole).identity.name: params[part_of.member]})

    def _row(
        self, kind: Kind, caller: Caller, made: Identified, params: Mapping[str, Any], facts: object | None
    ) -> Resource:
        at = self._clock()
        life = kind.lifecycle.begin(at) if kind.lifecycle else {}
        return Resource(
            kind=kind.noun,
            account=caller.account,
            region=caller.region,
            name=made.name,
            arn=self._arn(kind, caller, made.path),
            status=kind.lifecycle.status(life) if kind.lifecycle else "",
            created=at,
            modified=at,
            version=1,
            spec={member: value for member, value in params.items() if member != "Tags"},
            state={**made.members, **life},
            tags=tags_of(params),
            facts=to_json(facts) if facts is not None else {},
            parent=caller.parent or None,
        )

    def get(self, kind: Kind, caller: Caller, name: str) -> Resource:
        """The resource of this name. Raises the kind's `missing`."""
        found = self.find(kind, caller, name)
        if found is None:
            raise kind.missing(self._arn(kind, caller, name))
        return found

    def find(self, kind: Kind, caller: Caller, name: str) -> Resource | None:
        """The resource of this name, or None. Case counts unless the kind ignores it."""
        found = self._store.get(kind.noun, Scope(caller.account, caller.region), kind.key(name))
        if found is not None and found.name != name and not kind.ignores_case:
            return None
        return found

    def named(self, kind: Kind, caller: Caller, params: Mapping[str, Any]) -> Resource:
        """The resource that a request names, by whatever tells the kind's resources apart. Raises `missing`."""
        identity = self.derived(kind).identity
        if isinstance(identity, ByName) and not params[identity.name].startswith("arn:"):
            return self.get(kind, caller, params[identity.name])
        scope, where = Scope(caller.account, caller.region), identity.where(params)
        found = self._store.find(Query(kind.noun, scope, where, descending=True, limit=1))
        if not found:
            path = identity.path(params)
            raise kind.missing(path if path.startswith("arn:") else self._arn(kind, caller, path))
        return found[0]

    def by_arn(self, arn: str) -> Resource | None:
        """The resource with this ARN, or None. Both forms of an ARN mean it, whichever it was made with."""
        return self._store.by_arn(arn) or self._by_other_form(arn)

    def present(self, resource: Resource) -> dict[str, Any]:
        """The resource as Describe may show it, before projection."""
        return present(resource, self.derived(self.kind(resource)))

    def described(self, resource: Resource) -> tuple[Shape, dict[str, Any]]:
        """The answer of the noun's Describe operation, and its shape, for a row that may be an older one."""
        kind = self.kind(resource)
        derived = self.derived(kind)
        shape = self._models.operation(kind.service, derived.operations.describe).output
        assert shape is not None
        return shape, project(shape, self.present(resource))

    def page(
        self, kind: Kind, caller: Caller, params: Mapping[str, Any], where: Expression = EVERYTHING
    ) -> dict[str, Any]:
        """The answer of the kind's List operation, of rows that fit `where`: filtered, then sorted, then paged."""
        rules = self.derived(kind).lists
        if rules is None:
            raise LookupError(f"{kind.noun} has no List operation")
        query = listing.query(kind, rules, Scope(caller.account, caller.region), params, where)
        page = self._store.page(query, listing.size(rules, params))
        shown = listing.late(kind, page.rows, params)
        answer: dict[str, Any] = {rules.key: [self.present(row) for row in shown]}
        if page.after is not None:
            answer["NextToken"] = listing.token(rules, query, page.after)
        return answer

    def unfinished(self, kind: Kind) -> list[Resource]:
        """All resources of a kind, of all accounts, that have work left; oldest first."""
        return self._store.find(kind.unfinished())

    def retained(self, kind: Kind) -> list[Resource]:
        """All resources of a kind, of all accounts, that have ended and still have something that is to end."""
        return self._store.find(Query(kind.noun, where=kind.retained)) if kind.retained is not None else []

    def unended(self, kind: Kind) -> list[Resource]:
        """Those that are unfinished and those that are retained, as they are at one moment: one becomes the other."""
        return self._store.find(kind.unended())

    def change(
        self,
        resource: Resource,
        state: Callable[[Resource], Mapping[str, Any]] | None = None,
        facts: Callable[[Resource], object] | None = None,
    ) -> Resource:
        """Change the newest version: `state` gives what is new of its state, `facts` its new facts.

        Raises Changed if it is gone.
        """
        return self._retry(resource, lambda row: {**row.state, **(state(row) if state else {})}, facts)

    def advance(
        self,
        resource: Resource,
        to: str,
        message: str | None = None,
        facts: Callable[[Resource], object] | None = None,
        **state: Any,
    ) -> Resource:
        """Move the newest version to the stage `to`, with members of its state that are new, and new facts.

        Raises IllegalMove; Changed if it is gone.
        """
        lifecycle = self.kind(resource).lifecycle
        if lifecycle is None:
            raise ValueError(f"{resource.kind} has no lifecycle")

        def move(row: Resource) -> dict[str, Any]:
            return lifecycle.advance({**row.state, **state}, to, self._clock(), message)

        try:
            return self._retry(resource, move, facts)
        except IllegalMove:
            # The caller's copy may be old; what it asks for may be legal by now.
            newest = self._newest(resource)
            if newest.version == resource.version:
                raise
            return self._retry(newest, move, facts)

    def annotate(self, resource: Resource, message: str) -> Resource:
        """Say something newer in the last transition of the resource's history."""
        lifecycle = self.kind(resource).lifecycle
        if lifecycle is None:
            raise ValueError(f"{resource.kind} has no lifecycle")
        return self._retry(resource, lambda row: lifecycle.annotate(row.state, message))

    def amend(self, resource: Resource, params: Mapping[str, Any]) -> Resource:
        """Replace the members that an Update request has; a structure that Update knows in part is kept otherwise."""
        updates = self.derived(self.kind(resource)).updates

        def amended(row: Resource) -> dict[str, Any]:
            return updates.applied(row.spec, params)

        identity = self.derived(self.kind(resource)).identity
        # The name of what is identified by its ARN is a label.
        name = params.get(identity.name) if isinstance(identity, ByArn) else None
        return self.replace_spec(resource, amended, name)

    def replace_spec(
        self, resource: Resource, spec: Callable[[Resource], Mapping[str, Any]], name: str | None = None
    ) -> Resource:
        """Replace what was asked for, as Put operations do: `spec` makes it from the newest version."""
        while True:
            renamed = {"name": name} if name is not None else {}
            try:
                return self._store.update(resource, modified=self._clock(), spec=dict(spec(resource)), **renamed)
            except Changed:
                resource = self._newest(resource)

    def tag(self, resource: Resource, add: Mapping[str, str], remove: tuple[str, ...] = ()) -> Resource:
        """Add and remove tags. Raises ValidationException beyond 50."""
        while True:
            kept = {key: value for key, value in resource.tags.items() if key not in remove}
            tags = {**kept, **add}
            if len(tags) > 50:
                # Choice: AWS's words for this are not known.
                raise ValidationException(f"{resource.arn} would have {len(tags)} tags; the most is 50.")
            try:
                return self._store.update(resource, modified=resource.modified, tags=tags)
            except Changed:
                resource = self._newest(resource)

    def delete(self, resource: Resource) -> None:
        """Forget the resource, and its parts; raises the kind's `in_use` where it has some and they are not to go."""
        in_use = self.kind(resource).in_use
        if in_use is None:
            for part in self._store.children(resource.arn, self._parts_of(resource.kind)):
                self.delete(part)
        while True:
            try:
                return self._store.delete(resource, alone=in_use is not None)
            except HasParts:
                if in_use is None:
                    raise
                raise in_use(resource.arn) from None
            except Changed:
                resource = self._newest(resource)

    def _parts_of(self, noun: str) -> tuple[str, ...]:
        return tuple(kind.noun for kind in self.kinds if kind.part_of is not None and kind.part_of.noun == noun)

    def _arn(self, kind: Kind, caller: Caller, path: str) -> str:
        old = self._lower_case_arns and kind.service == "sagemaker"
        return kind.arn(caller.account, caller.region, path.lower() if old else path)

    def _by_other_form(self, arn: str) -> Resource | None:
        parts = arn.split(":", 5)
        if len(parts) < 6:
            return None
        _, partition, service, region, account, rest = parts
        word, _, path = rest.partition("/")
        kind = next((one for one in self.kinds if (one.service, one.arn_type) == (service, word)), None)
        # Earlier versions wrote "aws" for every region.
        if kind is None or partition not in ("aws", partition_of(region).name):
            return None
        found = self._store.get(kind.noun, Scope(account, region), kind.key(path))
        if found is None:
            return None
        own = found.arn.rpartition(":")[2].partition("/")[2]
        return found if own.lower() == path.lower() and path in (found.name, own, path.lower()) else None

    def _retry(
        self,
        resource: Resource,
        state: Callable[[Resource], dict[str, Any]],
        facts: Callable[[Resource], object] | None = None,
    ) -> Resource:
        lifecycle = self.kind(resource).lifecycle
        while True:
            fresh = state(resource)
            status = lifecycle.status(fresh) if lifecycle else ""
            known = to_json(facts(resource)) if facts else resource.facts
            try:
                return self._store.update(resource, modified=self._clock(), state=fresh, facts=known, status=status)
            except Changed:
                resource = self._newest(resource)

    def _newest(self, resource: Resource) -> Resource:
        newest = self._store.by_arn(resource.arn)
        if newest is None or newest.created != resource.created:
            raise Changed(resource.arn)
        return newest


class _Sources:
    """What a new identity is made from, of the kind's resources in one account and region."""

    def __init__(self, store: Store, kind: Kind, scope: Scope) -> None:
        self._store = store
        self._kind = kind
        self._scope = scope

    def new_id(self, of: NewId) -> str:
        return of.prefix + "".join(secrets.choice(of.alphabet) for _ in range(of.length))

    def last_version(self, member: str, group: str, version: str) -> int:
        newest = JsonPath("state", version)
        where = Compare(JsonPath("spec", member), "=", group)
        found = self._store.find(Query(self._kind.noun, self._scope, where, newest, descending=True, limit=1))
        return int(found[0].state[version]) if found else 0
