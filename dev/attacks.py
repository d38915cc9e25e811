"""Every attack that DS01 must stand, and where it is tried: ``python -m dev.attacks`` lists the tests of each row.

A row without a test is a failure of ``tests/unit/dev/test_attacks.py``; the reference page is made from here. A test
carries the ids of its rows in its name (``test_e9_e10_…``, ``test_p1_to_p5_…``) or in the name of its case.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "tests"
ON_AN_ENGINE = ("engine/gateway", "engine/host", "engine/daemon/test_beside.py")
BESIDE = (
    "unit/gateway",
    "unit/dockerpolicy",
    "unit/runc",
    "unit/services/test_doctor.py",
    "unit/services/test_guard.py",
)
"""Where the ids are those of this table. Elsewhere E1 or P1 is a promise of another page."""

_NAME = re.compile(r'def (test_\w+)|^\s+"([a-z]\d+_\w+)"\s*:', re.MULTILINE)
_ID = re.compile(r"(?:^|_)([osepgd])(\d+)(?:_to_\1(\d+))?(?=_|$)")


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One row. ``elsewhere`` says why no test on an engine can try it, where none can."""

    id: str
    what: str
    becomes: str
    elsewhere: str = ""


SECTIONS: Mapping[str, str] = {
    "O": "Seeing and touching what is somebody else's",
    "S": "Being taken for somebody else",
    "E": "Out of the container",
    "P": "Requests that can be read in two ways",
    "G": "GPUs without a lease",
    "D": "More than one's share",
}
_NOT_THERE = "as if it were not there (404)"
_OWN = "one's own only"

_ROWS: dict[str, tuple[tuple[str, str] | tuple[str, str, str], ...]] = {
    "O": (
        ("exec in another's container", _NOT_THERE),
        ("exec with options that hide the target from whoever reads command lines", _NOT_THERE),
        ("global options, contexts and other spellings of the socket before the command", _NOT_THERE),
        ("logs, with options whose values look like names", _NOT_THERE),
        ("inspect of one's own and another's in one command", "one's own, and 404"),
        ("copying files out of and into another's container", _NOT_THERE),
        ("commit and export of another's container", _NOT_THERE),
        ("attach", _NOT_THERE),
        ("a query behind the path", _NOT_THERE),
        ("removing with force", _NOT_THERE),
        ("every verb that changes, raw", _NOT_THERE),
        ("the beginning of an id: 1, 3, 12 digits", _NOT_THERE),
        ("starting an exec whose id was overheard", _NOT_THERE),
        ("inspecting another's exec", _NOT_THERE),
        ("lists with all, by id, by labels", _OWN),
        ("filters twice, duplicate keys in them, the form with false", _OWN),
        ("events, of everybody or of one container", _OWN),
        ("stats of everything, top of another's", "one's own, and 404"),
        ("joining another's container: volumes, pid, ipc, network, links", _NOT_THERE),
        ("another's network: inspect, connect", _NOT_THERE),
        ("system df, volumes, networks, images", "one's own and what is everybody's"),
        ("a name that is another's short id", "refused"),
        ("a name that another just gave up", "one's own name, invisible to the other"),
        ("renaming while a request for the name is on its way", "never acts on another's: the full id is passed on"),
        ("wait and attach by websocket", _NOT_THERE),
        ("compose with another's project name", "nothing of hers is found"),
        ("a container that DS01 does not know", "404 for users"),
    ),
    "S": (
        ("labels that name another owner, by option or file", "replaced"),
        ("the same in another case, or label maps twice", "replaced or refused"),
        ("labels of devcontainers with another's folder", "the owner stays"),
        ("labels that ask for exceptions", "left out"),
        ("labels in an image, inherited", "overridden"),
        ("another's compose project as a label", "invisible to her"),
        ("labels that choose how one came in", "a GPU comes from a lease all the same"),
        ("variables that turned other wrappers off", "nothing"),
        ("a Unix group that looks like the admins'", "no admin"),
        ("root of a container at the socket inside it", "is its owner, not root"),
        ("mounting the folders of sockets", "one's own socket, or refused"),
        ("a connected socket handed on; a pid that changed hands", "who connected counts"),
        ("a uid that changed hands", "inherits nothing"),
    ),
    "E": (
        ("a privileged container", "refused"),
        ("binding the host's folders or the engine's socket", "refused, or one's own socket"),
        ("the same as a mount", "refused"),
        ("a link of one's own to somebody else's folder", "refused"),
        ("swapping a folder for a link between create and start", "what was checked is mounted"),
        ("the same in a loop, also a parent folder", "what was checked is mounted"),
        ("paths with dots, doubled slashes, links of /proc, line breaks", "refused"),
        ("mounts that propagate to the host", "refused"),
        ("a volume that is a bind", "refused"),
        ("the same inside a mount; network and disk file systems", "refused"),
        ("namespaces of the host", "refused"),
        ("capabilities, in every spelling", "refused"),
        ("security options, by = and by :", "refused; plain seccomp=unconfined is left out with a word"),
        ("uncovering /proc with empty lists", "refused"),
        ("device nodes", "refused"),
        ("rules for devices", "refused"),
        ("other runtimes", "refused"),
        ("annotations", "left out"),
        ("kernel settings that reach further", "refused"),
        ("never to be ended for memory", "refused"),
        ("planting setuid files, file capabilities, nodes on a folder", "count for nothing on the host"),
        ("a hard link to another's file, mounted", "refused where the kernel allows such links"),
        ("a privileged exec", "refused"),
        ("an image of another as a mount", "refused"),
        ("plugins", "refused"),
        ("swarm and services", "refused"),
        ("checkpoints", "refused"),
        ("compressed archives into a container, on engines with that hole", "refused"),
        ("copying while links are swapped, on engines with that hole", "refused"),
        ("LD_PRELOAD, LD_AUDIT and more beside a GPU, where NVIDIA's hooks would load it on the host", "void, refused"),
        ("another cgroup", "overwritten with one's own"),
        ("binding pipes, sockets, nodes, memory, descriptors", "refused"),
        ("mount, namespaces, nodes from inside", "nothing gained"),
        ("another container's cgroup", "refused"),
        ("a device node of an image, opened from one's shell through /proc", "nothing opens there"),
        ("exchanging folders while files are copied, on engines with that hole: through one kept open from a container "
         "that stopped, or in her workspace while she launches", "nothing is copied of what she can reach"),
        ("two copies at once that share a volume, one to write links for the other, on engines with that hole",
         "one at a time"),
        ("a pid that changed hands between the guard's look and runc's", "what was looked at is joined, or nothing"),
    ),
    "P": (
        ("keys in other case", "judged as what the engine takes them for"),
        ("keys in other alphabets and escapes", "refused"),
        ("keys twice", "refused"),
        ("walls at the top level", "refused"),
        ("more after the value", "refused"),
        ("forms that overrule the query", "415"),
        ("content types that hide a body", "judged all the same"),
        ("no body", "refused"),
        ("bodies padded beyond a checker's patience", "413"),
        ("other spellings of a path", "refused"),
        ("old API versions that take more", "refused"),
        ("versions below, above, malformed; every escape in every version", "refused, or the same verdict"),
        ("two framings, folded lines, odd chunks, other HTTP", "refused; one request stays one"),
        ("a request behind an upgrade that failed", "judged as its own"),
        ("an exec that is detached, with an upgrade", "stays HTTP"),
        ("upgrades elsewhere, HTTP/2 at once", "left out, refused"),
        ("slow heads, slow bodies, endless heads, 10,000 connections", "counted, ended in time; others notice nothing"),
        ("JSON without bottom, numbers without end, other encodings", "refused"),
        ("other methods, methods in headers", "refused"),
        ("a body that waits to be asked for, where nothing is allowed", "refused unread"),
        ("half-closed and broken connections", "end cleanly, nothing leaks"),
        ("bytes of a websocket before its time", "held, then passed"),
        ("line breaks in names that come back in a head", "refused"),
        ("an engine that answers oddly", "502, bounded", "a program that answers oddly stands in for the engine"),
    ),
    "G": (
        ("all, too many, or GPUs of one's own choosing", "a lease decides"),
        ("the same through compose and devcontainers", "a lease decides"),
        ("variables that ask for GPUs, at create and exec", "void"),
        ("images that ask for GPUs", "void"),
        ("NVIDIA's runtime", "counts as asking for one"),
        ("every driver name and CDI", "a lease decides"),
        ("annotations that ask for GPUs", "left out"),
        ("mounts that ask for GPUs", "refused"),
        ("nodes and rules for nodes", "refused"),
        ("variables for partitions and more", "left out"),
        ("devices for a step of a build", "refused"),
        ("builds from images that ask for GPUs", "none"),
        ("starting again when the GPU is another's", "refused until leased again"),
        ("restarts by the engine", "never with a GPU; without a lease nothing starts"),
        ("a commit that keeps devices", "keeps none"),
        ("a program of the host outside containers", "`ds01 doctor` tries it and says so",
         "needs a kernel with cgroup v2 and real device nodes"),
        ("containers of one's own rootless engine", "`ds01 doctor` tries it and says so",
         "needs a kernel with cgroup v2 and real device nodes"),
        ("many containers that hold GPUs, many at once for the last one", "counted; one wins"),
        ("GPUs on another's account", "whoever asks is charged"),
        ("reading a neighbour's GPU through her processes", "joined only with one's own"),
    ),
    "D": (
        ("no limit, or more than one's own", "the limit"),
        ("a fork bomb", "ends at the limit"),
        ("many containers at their limit", "limited together"),
        ("memory as a file system", "bounded"),
        ("a flood of log lines", "30 MB at most"),
        ("logs without end or elsewhere", "overwritten, refused"),
        ("filling the disk", "counted; past the limit nothing more comes"),
        ("ulimits", "bounded"),
        ("thousands of containers, networks, volumes", "counted"),
        ("checks, execs, measurements in a loop", "slowed, then refused"),
        ("a network with the campus's addresses", "refused"),
        ("ports of the server", "loopback, and a free one"),
        ("reaching other users' containers", "the networks are apart"),
        ("reaching services of the host and metadata", "closed"),
        ("builds as a way around limits", "the user's limits hold, host networks are refused"),
        ("holding what DS01 needs: its locks, its disk, its connections", "nothing stops"),
        ("pulls in a loop", "few at a time"),
        ("prune", _OWN),
        ("removing what is shared or another's", "refused, or 404"),
        ("writing another's or a protected image name", "refused"),
        ("names of volumes that others have", "one's own"),
        ("another's volume", "404, or a new one of one's own"),
        ("another's image: save, history, inspect", _NOT_THERE),
        ("BuildKit's methods that are everybody's", "refused"),
        ("the engine as a way to other addresses", "refused"),
    ),
}  # fmt: skip

ATTACKS: tuple[Attack, ...] = tuple(
    Attack(id=f"{section}{number}", what=row[0], becomes=row[1], elsewhere=row[2] if len(row) > 2 else "")
    for section, rows in _ROWS.items()
    for number, row in enumerate(rows, 1)
)


def tried(places: tuple[str, ...] = (*ON_AN_ENGINE, *BESIDE)) -> Mapping[str, tuple[str, ...]]:
    """The tests of each row, as ``file::name``, below these places."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        where = str(path.relative_to(TESTS))
        if where.startswith(places):
            for name in _names(path.read_text()):
                for row in rows_of(name):
                    found[row].append(f"{where}::{name}")
    return {row: tuple(tests) for row, tests in found.items()}


def rows_of(name: str) -> Iterator[str]:
    """The rows that a test's name says it tries. Those of promises have numbers of their own: ``test_promise_e6_…``."""
    if name.startswith("test_promise_"):
        return
    for section, first, last in _ID.findall(name.removeprefix("test_")):
        for number in range(int(first), int(last or first) + 1):
            yield f"{section.upper()}{number}"


def _names(text: str) -> Iterator[str]:
    return (function or case for function, case in _NAME.findall(text))


def main() -> None:
    """Print every row with its tests."""
    tests = tried()
    for attack in ATTACKS:
        print(f"{attack.id:4} {attack.what}: {attack.becomes}")
        for test in tests.get(attack.id, ()):
            print(f"       {test}")


if __name__ == "__main__":
    main()
