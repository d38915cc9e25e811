"""A public client's own tests, run twice: by root at the engine itself, and by an ordinary user at the gateway.

What fails at the engine says nothing of DS01: this machine has no swarm or registry for it. What fails only at the
gateway is a refusal the rules name, or a defect. docker-py's are in its source distribution (``tests/integration``),
which is no part of this project; ``--python`` is an interpreter that everybody may run, with docker, pytest,
pytest-timeout, paramiko and websocket-client.

    unshare --net sh -c 'ip link set lo up; exec python -m tests.engine.clients.suite SOURCES --python PYTHON'
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev import engine as older
from dev import engine26 as newer
from dev import people, remains, tiny
from dev.registry import Registry, serving

from tests.engine.gateway.ground import LIMITS, Ground, ground

IMAGES = {"alpine": ("3.10", "latest"), "busybox": ("latest", "1.35"), "hello-world": ("latest",)}
"""What such tests begin with. They are here what busybox makes of them, in a registry that stands in for the usual. No
two are one image: an engine that cleans up takes the names of an image in use but for the last."""

SWARM = tuple(f"--ignore-glob=*_{kind}*_test.py" for kind in ("swarm", "service", "secret", "config", "node", "plugin"))
"""What is left out at the engine: it would become part of a swarm, and fetch plugins."""

SHOWN = 12
Outcomes = dict[str, tuple[str, str]]
"""What became of each test: a word, and why."""

_RULE = re.compile(r"\(([a-z]+(?:\.[a-z-]+)*)\)\. ?[A-Z]")


def stock(registry: Registry) -> None:
    """The images, as a mirror of Docker Hub has them."""
    layer = tiny.layer()
    for name, tags in IMAGES.items():
        command = ["echo", "Hello from Docker!"] if name == "hello-world" else ["sh"]
        for tag in tags:
            config = {"Cmd": command, "Env": ["PATH=/bin:/usr/bin"]}
            registry.put(f"library/{name}", tag, config, [layer, _known(f"{name}:{tag}")])


def _known(reference: str) -> bytes:
    """What such tests know of Alpine: an account, and a folder; and which image it is."""
    accounts = "root:x:0:0:root:/root:/bin/sh\npostgres:x:70:70::/var/lib/postgresql:/bin/sh\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, text in (("etc/passwd", accounts), ("etc/issue", f"{reference}\n")):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
        folder = tarfile.TarInfo("var/opt")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
    return buffer.getvalue()


@contextmanager
def standing(new: bool) -> Iterator[Ground]:
    """A server whose engine finds Docker Hub in a registry here."""
    with tempfile.TemporaryDirectory(prefix="ds01s", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "registry").mkdir()
        with serving(folder / "registry") as registry:
            stock(registry)
            running = (newer if new else older).start(
                folder / "e", options=("--registry-mirror", f"http://{registry.host}")
            )
            try:
                limits = LIMITS.replace('["REGISTRY"]', '["REGISTRY", "docker.io"]')
                with ground(running, folder, registry, "s", limits) as made:
                    yield made
            finally:
                older.stop(running)


def tried(place: Ground, user: people.Person, socket: str, words: Sequence[str], sources: Path, version: str) -> Path:
    """One run; the file with what became of each test."""
    copy = user.home / "suite"
    shutil.copytree(sources / "tests", copy / "tests", dirs_exist_ok=True)
    (user.home / "tmp").mkdir(exist_ok=True)
    subprocess.run(["chown", "-R", f"{user.uid}:{user.gid}", str(copy), str(user.home / "tmp")], check=True)
    result = user.home / "result.xml"
    extra = {"DOCKER_HOST": f"unix://{socket}", "DOCKER_TEST_API_VERSION": version, "TMPDIR": str(user.home / "tmp"),
             "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
    who = people.Person(login=user.login, uid=user.uid, gid=user.gid, home=user.home, extra=extra)
    subprocess.run(
        [*words, "-q", "--tb=short", "-p", "no:cacheprovider", "--timeout=60", "--junitxml", str(result)], cwd=copy,
        env=who.environment(), user=who.uid, group=who.gid, extra_groups=who.groups() if who.uid else [], check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return result


def _bare(place: Ground) -> None:
    """Leave the engine alone: the fence of DS01 holds root's own networks apart, which are in its pool here."""
    place.clear(set())
    for name in list(place.programs):
        place.stop(name)
    remains.unfence(place.run)


def outcomes(result: Path) -> Outcomes:
    """What became of each test, by its name."""
    found: Outcomes = {}
    for case in ET.parse(result).iter("testcase"):
        name = f"{case.get('classname', '').removeprefix('tests.integration.')}::{case.get('name')}"
        bad = next((each for each in case if each.tag in ("failure", "error", "skipped")), None)
        word = "passed" if bad is None else bad.tag
        if found.get(name, ("passed", ""))[0] == "passed":
            found[name] = (word, "" if bad is None else str(bad.get("message", "")))
    return found


def told(direct: Outcomes, through: Outcomes) -> None:
    """How many became what on both sides, and what failed at the gateway alone, by the rule that the refusal names."""
    for title, found in (("at the engine", direct), ("at the gateway", through)):
        words = Counter(word for word, _ in found.values())
        print(f"{title}: " + ", ".join(f"{count} {word}" for word, count in words.items()))
    by_rule: dict[str, list[str]] = defaultdict(list)
    for name, (word, why) in through.items():
        if word in ("failure", "error") and _good(direct, name):
            named = _RULE.search(why)
            by_rule[named[1] if named else " ".join(why.split())[:200]].append(name)
    for rule, names in sorted(by_rule.items(), key=lambda item: -len(item[1])):
        print(f"{len(names):4} {rule}: {', '.join(name.partition('::')[2] for name in names[:SHOWN])}")


def _good(found: Outcomes, name: str) -> bool:
    return found.get(name, ("passed", ""))[0] == "passed"


def main() -> int:
    """Both runs and the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.clients.suite", description=__doc__)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--python", required=True)
    parser.add_argument("--old", action="store_true", help="this machine's own engine instead of 26")
    parser.add_argument("--api", default="1.41", help="the API version to speak")
    parser.add_argument("--keep", type=Path, help="a folder for the results")
    parser.add_argument("--only-gateway", action="store_true")
    options, rest = parser.parse_known_args()
    words = [options.python, "-m", "pytest", *(rest or ["tests/integration"])]
    with standing(not options.old) as place:
        through = tried(place, place.alice.person, place.gateway, words, options.sources, options.api)
        kept = options.keep or Path(tempfile.mkdtemp(prefix="ds01-suite"))
        kept.mkdir(exist_ok=True)
        shutil.copy(through, kept / "gateway.xml")
        for name in ("ds01d", "ds01-gateway"):
            shutil.copy(place.run / f"{name}.log", kept)
        direct = {}
        if not options.only_gateway:
            _bare(place)
            home = Path(place.run).parent / "root"
            home.mkdir()
            root = people.Person(login="root", uid=0, gid=0, home=home)
            shutil.copy(tried(place, root, place.engine.socket, [*words, *SWARM], options.sources, options.api),
                        kept / "engine.xml")  # fmt: skip
            direct = outcomes(kept / "engine.xml")
        print(f"results are in {kept}")
        told(direct, outcomes(kept / "gateway.xml"))
        return 0


if __name__ == "__main__":
    os.environ.pop("DOCKER_HOST", None)
    sys.exit(main())
