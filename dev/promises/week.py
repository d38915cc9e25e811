"""A student's week on one screen: what she types, and what she sees after each of it.

A test plays it and looks at every screen; ``python -m dev.week`` plays it on a stack of its own and writes the tutorial
page with the screens in it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dev.promises.screen import Screen

SERVER = "gpu-server"
PROJECT = "week"


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One screen, with what there is to say about it."""

    title: str
    text: str
    screen: str


def play(screen: Screen, *, key: str, opens: Callable[[str], None]) -> Iterator[Shot]:
    """The whole week, for somebody who has nothing yet. ``key`` is her laptop's public key; ``opens`` opens the address
    that a screen shows, by the way that it shows.
    """
    yield from _monday(screen, key)
    yield from _tuesday(screen)
    yield from _wednesday(screen, opens)
    yield from _thursday(screen)
    yield from _friday(screen)


def _monday(screen: Screen, key: str) -> Iterator[Shot]:
    yield _typed(
        screen, "ds01 setup",
        ("1/3", key), ("2/3", PROJECT), ("[data]", "blank"),
        title="Monday: three questions",
        text="The laptop's public key, a project's name, and what it is for. Everything can be answered later.",
    )  # fmt: skip
    screen.clear()
    screen.types(f"ds01 launch {PROJECT}")
    yield Shot(
        title="A shell with a GPU",
        text="The image is built because there is none yet; the second time this takes no time.",
        screen=screen.shows("workspace$"),
    )
    screen.types("pip install -q tabulate && python -c 'import tabulate' && echo tried")
    screen.shows("\ntried")
    screen.types("echo 0.93 > accuracy.txt; exit")
    screen.asks_nothing_more()
    yield _typed(
        screen, f"ds01 retire {PROJECT}", ("[Y/n]", "y"), (f"Retire {PROJECT}?", "y"),
        title="Home, and nothing is lost",
        text="In the shell she typed `pip install tabulate`, `echo 0.93 > accuracy.txt` and `exit`. What pip added is"
        " offered for the project file, as a diff.",
    )  # fmt: skip


def _tuesday(screen: Screen) -> Iterator[Shot]:
    yield _typed(
        screen, f"ds01 launch {PROJECT} --background", ("[Y/n]", "y"),
        title="Tuesday: the project file changed",
        text="The project file names a package that the image lacks, so the image is built anew, if you agree.",
    )  # fmt: skip
    yield _typed(
        screen, f"ds01 launch {PROJECT} --name exp-2 --background && ds01 list",
        title="Two experiments from one image", text="The same packages and the same files, another GPU.",
    )  # fmt: skip
    yield _typed(
        screen, "ds01 exec exp-2 -- python -c 'import tabulate; print(open(\"accuracy.txt\").read())'",
        title="What was kept is there",
        text="Yesterday's package is in the image and yesterday's file in the workspace.",
    )  # fmt: skip


def _wednesday(screen: Screen, opens: Callable[[str], None]) -> Iterator[Shot]:
    yield _typed(
        screen, f"ds01 jupyter {PROJECT}",
        title="Wednesday: a notebook", text="What is missing is said, with the command that brings it.",
    )  # fmt: skip
    yield _typed(
        screen, f"ds01 image update {PROJECT} --add jupyterlab",
        ("Replace it by a new container now?", "y"), (f"Replace {PROJECT} by a new container?", "y"),
        title="The advice, followed",
        text="The package goes into the project file and the image is built. Nothing that runs is touched unasked.",
    )  # fmt: skip
    shot = _typed(
        screen, f"ds01 jupyter {PROJECT}",
        title="A notebook on the laptop",
        text="The lines to type on the laptop are printed, and the notebook is there.",
    )  # fmt: skip
    opens(screen.seen(joined=True))
    yield shot


def _thursday(screen: Screen) -> Iterator[Shot]:
    run = f"ds01 run --project {PROJECT} --gpus 1 --time 10m --wait -- python -c 'print(6 * 7)'"
    yield _typed(
        screen, f"{run} && ds01 logs {PROJECT}-1",
        title="Thursday: a run without you",
        text="It takes a GPU when its turn has come and gives it back the moment it is done.",
    )  # fmt: skip
    yield _typed(
        screen, "ds01 init paper", ("[data]", "blank"),
        title="A second project", text="Another folder with a file of its own. Nothing is built before it is launched.",
    )  # fmt: skip


def _friday(screen: Screen) -> Iterator[Shot]:
    yield _typed(
        screen, f"ds01 why {PROJECT}",
        title="Friday: why", text="What happened to a container, in order, with the reasons.",
    )  # fmt: skip
    yield _typed(
        screen, f"ds01 retire exp-2 --yes && ds01 retire {PROJECT} --yes && ds01 status",
        title="Until Monday",
        text="Nothing of yours runs, nobody waits for your GPUs, and your files are where they were.",
    )  # fmt: skip


def _typed(screen: Screen, line: str, *answers: tuple[str, str], title: str, text: str) -> Shot:
    """A line on an empty screen, each question with what is answered, and what there is to see once it is done."""
    screen.clear()
    screen.types(line)
    for question, answer in answers:
        screen.shows(question)
        screen.types(answer)
    return Shot(title=title, text=text, screen=screen.asks_nothing_more())


def without_secrets(text: str) -> str:
    """A screen without what nobody should type after it, the notebook's token, and with a server's name like any."""
    return re.sub(r"token=[\w-]+", "token=…", text).replace(socket.gethostname(), SERVER)


_PASSING = re.compile(r"^✓ [^.]+ \d[\dhm.]*[hms]$", re.MULTILINE)
"""A step that took long enough to be told of."""
_TOOK = re.compile(r"(?<= )\d[\d.]*(?:ms|[smh])(?: ?\d+[sm])?$", re.MULTILINE)
"""How long something took, at the end of its line: on a busy machine minutes, where it says seconds."""
_DIFFERS = (
    (re.compile(r"ssh-ed25519AAAA[\w+/]+laptop"), "KEY"),
    (re.compile(r"token=.*?Next:"), "token=…Next:"),
    (re.compile(r"\d[\d.:-]*(?:(?:dev|[KMGT]B?|B|ms|s|m|h)(?![A-Za-z])[\d.]*)*"), "#"),
    (re.compile(r"Ontopofthebase:[^✓]*?and#ore\."), "Ontopofthebase:…"),
    (re.compile(r"Goes#changedfiles?outsidetheworkspace:/home/\w+/\.(?:jupyter|ipython|local)/.*?(?=Stays)"), ""),
    (re.compile(r"Gone#changedfiles?outsidetheworkspace(?=Stays)"), ""),
    (re.compile(r",buildcache#(?=\))"), ""),
    (re.compile(r"(?<=BUSY)(?:IDLELEFT)?(?:TIMELEFT)?|(?<=#%)#{1,2}"), ""),
)
"""Numbers and their units, the key, the token; which packages JupyterLab needs today, and whether it has written a file
of its own by then; whether the build cache has been measured since the builds, and what a container has left of its
limits since it was started.
"""


def lasting(screen: str) -> str:
    """What a screen says every time it is played: no numbers, keys and tokens, and wherever its lines are broken."""
    said = re.sub(r"\s", "", _TOOK.sub("#", _PASSING.sub("", without_secrets(screen))))
    for changing, stands in _DIFFERS:
        said = changing.sub(stands, said)
    return said
