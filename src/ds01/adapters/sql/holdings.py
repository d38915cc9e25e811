"""The part of the books about volumes and networks of users."""

from __future__ import annotations

from ds01.adapters.sql import statements, tables
from ds01.adapters.sql.jobs import JobBooks
from ds01.domain.network import Network
from ds01.domain.people import Uid
from ds01.domain.volume import Volume


class SqlHoldings(JobBooks):
    """Volumes and networks, within a transaction."""

    def volume(self, volume: str) -> Volume | None:
        row = self._one(statements.VOLUME, {"id": volume})
        return None if row is None else Volume(**row)

    def volumes(self, uid: Uid | None = None) -> tuple[Volume, ...]:
        chosen = statements.VOLUMES if uid is None else statements.VOLUMES.where(tables.volumes.c.uid == uid)
        return tuple(Volume(**row) for row in self._built(chosen))

    def put_volume(self, volume: Volume) -> None:
        self._put(tables.volumes, vars(volume))

    def drop_volume(self, volume: str) -> None:
        self._write(statements.remove(tables.volumes), {"key_id": volume})

    def network(self, network: str) -> Network | None:
        row = self._one(statements.NETWORK, {"id": network})
        return None if row is None else Network(**row)

    def networks(self, uid: Uid | None = None) -> tuple[Network, ...]:
        chosen = statements.NETWORKS if uid is None else statements.NETWORKS.where(tables.networks.c.uid == uid)
        return tuple(Network(**row) for row in self._built(chosen))

    def put_network(self, network: Network) -> None:
        self._put(tables.networks, vars(network))

    def drop_network(self, network: str) -> None:
        self._write(statements.remove(tables.networks), {"key_id": network})
