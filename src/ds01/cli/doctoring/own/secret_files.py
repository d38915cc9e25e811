"""May others read the tokens of your editors, or the key of ``ds01 ssh``?"""

from __future__ import annotations

import os
from collections.abc import Iterator

from ds01.cli.doctoring.own import Check, Mend
from ds01.cli.doctoring.rights import listed, narrower, own


def _look(home: str) -> Iterator[Mend]:
    state = os.path.join(os.environ.get("XDG_STATE_HOME") or os.path.join(home, ".local/state"), "ds01")
    editors = os.path.join(state, "editors")
    paths = [os.path.join(state, "ssh_host_ed25519_key"), *(os.path.join(editors, name) for name in listed(editors))]
    for path in paths:
        found = own(path)
        if found and found.st_mode & 0o077:
            yield narrower(path, found, 0o600, f"Others may read {path}, which has a secret in it.")


CHECK = Check(well="Your editors' tokens and the key of ds01 ssh are yours alone.", look=_look)
