"""The part of the books about containers. Whoever writes keeps those that are there decoded; see ``hot``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.exc import IntegrityError

from ds01.adapters.sql import statements, tables
from ds01.adapters.sql.holdings import SqlHoldings
from ds01.domain.container import Container, ContainerId, ContainerState, Door
from ds01.domain.errors import NAME_TAKEN, Ds01Error
from ds01.domain.people import Uid


class SqlContainers(SqlHoldings):
    """Containers, live and removed."""

    def container(self, container: ContainerId) -> Container | None:
        if self._keeps and (known := self._live().get(container)):
            return known
        row = self._one(statements.CONTAINER, {"id": container})
        return None if row is None else Container(**row)

    def containers(self, uid: Uid | None = None, *, door: Door | None = None) -> tuple[Container, ...]:
        if not self._keeps:
            rows = self._built(statements.containers_of(statements.LIVE, uid=uid, door=door))
            return tuple(Container(**row) for row in rows)
        found = (c for c in self._live().values() if uid in (None, c.uid) and door in (None, c.door))
        return tuple(sorted(found, key=lambda container: (container.created_at, container.id)))

    def containers_ever(
        self, uid: Uid | None = None, *, door: Door | None = None, name: str | None = None, limit: int = 1000,
        skip: int = 0,
    ) -> tuple[Container, ...]:  # fmt: skip
        chosen = statements.containers_of(statements.LATEST, uid=uid, door=door, name=name)
        rows = self._built(chosen.limit(limit).offset(skip))
        return tuple(Container(**row) for row in reversed(rows))

    def named(self, uid: Uid, name: str, *, removed: bool = False) -> Container | None:
        if self._keeps and not removed:
            return next((c for c in self._live().values() if c.uid == uid and c.name == name), None)
        statement = statements.NAMED if removed else statements.NAMED_LIVE
        row = self._one(statement, {"uid": uid, "name": name})
        return None if row is None else Container(**row)

    def put_container(self, container: Container) -> None:
        try:
            self._put(tables.containers, vars(container))
        except IntegrityError as error:
            if "containers.name" not in str(error.orig):
                raise
            raise Ds01Error(
                NAME_TAKEN,
                f"There is already a container named '{container.name}'.",
                hint=f"Retire it first: ds01 retire {container.name}",
            ) from error
        if self.hot.live is not None:
            still = dict(self.hot.live)
            still.pop(container.id, None)
            gone = container.state is ContainerState.REMOVED
            self.hot = replace(self.hot, live=still if gone else {**still, container.id: container})

    def _live(self) -> Mapping[ContainerId, Container]:
        if self.hot.live is None:
            rows = self._all(statements.LIVE)
            found = (Container(**row) for row in rows)
            self.hot = replace(self.hot, live={container.id: container for container in found})
        return self.hot.live or {}
