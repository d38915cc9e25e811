"""The terminal of whoever launches: the container's first shell begins on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ds01.domain.errors import BAD_REQUEST, Ds01Error

VARIABLES = ("TERM", "COLORTERM", "NO_COLOR", "PS1", "PROMPT_COMMAND")
"""What a shell wants to know of its terminal."""
LONGEST_VALUE = 1024
_SLAVE = re.compile(r"/dev/pts/[0-9]{1,10}")


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """The slave of a pseudo terminal (``path``) that its owner made for one launch, and the variables of its shell;
    ``simulated`` are those besides that it gets with simulated GPUs.
    """

    path: str
    environment: Mapping[str, str]
    simulated: Mapping[str, str] = field(default_factory=dict)

    @property
    def with_simulated(self) -> Terminal:
        """The terminal of a container with simulated GPUs."""
        return replace(self, environment={**self.environment, **self.simulated})


def terminal(path: str, environment: Mapping[str, str], simulated: Mapping[str, str]) -> Terminal:
    """A terminal as a client names it. Raises Ds01Error (``request.bad``) when it can be none."""
    if not _SLAVE.fullmatch(path):
        raise Ds01Error(BAD_REQUEST, f"'{path[:80]}' is no terminal.", reason="One is called /dev/pts/NUMBER.")
    for name, value in (*environment.items(), *simulated.items()):
        if name not in VARIABLES:
            raise Ds01Error(
                BAD_REQUEST, f"'{name[:80]}' is no variable of a terminal.", reason=f"Those are {', '.join(VARIABLES)}."
            )
        if len(value) > LONGEST_VALUE or not value.isprintable():
            raise Ds01Error(BAD_REQUEST, f"{name} is a line of up to {LONGEST_VALUE} characters.")
    return Terminal(path=path, environment=environment, simulated=simulated)
