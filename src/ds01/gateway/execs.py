"""In which container a command was asked for: its id never means another, so the engine is not asked again."""

from __future__ import annotations

from collections import OrderedDict

REMEMBERED = 4096
"""Of more than that, the engine is asked about the oldest."""


class Execs:
    """The latest commands by their ids, with the container of each. Whose that is, is looked up every time."""

    def __init__(self) -> None:
        self._containers: OrderedDict[str, str] = OrderedDict()

    def learn(self, exec_id: str, container_id: str) -> None:
        """The engine has made it."""
        self._containers[exec_id] = container_id
        if len(self._containers) > REMEMBERED:
            self._containers.popitem(last=False)

    def container(self, exec_id: str) -> str:
        """The container's id; empty when it is not known."""
        return self._containers.get(exec_id, "")
