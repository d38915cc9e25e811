"""``ds01 top``: one's containers, the queue and the GPUs on a screen that stays, renewed every two seconds.

The view asks and shows; it decides nothing. What needs a terminal of its own (a shell, the questions of retire) ends
the view with a wish, and the command that opened it grants that and opens it again. A ds01d that does not answer leaves
the last picture where it is, with a line that says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Footer, Static

from ds01.cli import show
from ds01.cli.style import Style
from ds01.client import Client
from ds01.domain.errors import Ds01Error
from ds01.domain.record import record, replace
from ds01.tui import picture
from ds01.tui.extend import Extend
from ds01.wire.containers import ContainerView
from ds01.wire.lifecycle import ExtendView
from ds01.wire.status import StatusView

EVERY_SECONDS = 2.0
ATTACH, RETIRE = "attach", "retire"
PARTS = ("head", "notices", "containers", "queue", "gpus")


@record
class Wish:
    """What is to be done outside the view."""

    verb: str
    name: str


class Seen(Message):
    """ds01d answered."""

    def __init__(self, status: StatusView) -> None:
        super().__init__()
        self.status = status


class Told(Message):
    """A line for the bottom of the screen. ``lost``: ds01d did not answer, and the picture is an old one."""

    def __init__(self, text: str, *, lost: bool = False) -> None:
        super().__init__()
        self.text, self.lost = text, lost


class Top(App[Wish]):
    """The view. ``chosen`` is the container the keys are about."""

    CSS = """
    Screen { background: ansi_default; color: ansi_default; }
    VerticalScroll { scrollbar-size-vertical: 1; background: ansi_default; }
    Static { height: auto; }
    .part { margin-bottom: 1; }
    #told { dock: bottom; margin-bottom: 1; }
    Footer { background: ansi_default; color: ansi_default; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "Up", show=False),
        Binding("down,j", "choose(1)", "Down", show=False),
        Binding("pageup", "turn(-1)", "Page up", show=False),
        Binding("pagedown", "turn(1)", "Page down", show=False),
        Binding("a,enter", "attach", "Attach"),
        Binding("r", "retire", "Retire"),
        Binding("e", "extend", "Extend"),
        Binding("q,ctrl+c", "quit", "Quit"),
    ]

    def __init__(self, client: Client, style: Style, *, chosen: str = "", told: str = "") -> None:
        super().__init__(ansi_color=True)
        self.client, self.style, self.chosen, self.told = client, style, chosen, told
        self.status: StatusView | None = None
        self.broken: Exception | None = None
        self._asking = self._lost = False

    def compose(self) -> ComposeResult:
        """The parts, from top to bottom."""
        with VerticalScroll(can_focus=False):  # up and down choose a container
            for part in PARTS:
                yield Static("Asking ds01d …" if part == "head" else "", id=part, classes="part")
        yield Static(self.told, id="told")
        yield Footer()

    def on_mount(self) -> None:
        """Look at once, and again and again."""
        self.look()
        self.set_interval(EVERY_SECONDS, self.look)

    def look(self) -> None:
        """Ask for a new picture, unless the last question is still on its way."""
        if not self._asking:
            self._asking = True
            self.aside(self._ask)

    def aside(self, work: Callable[[], Message]) -> None:
        """Do what may take long elsewhere; leaving the view does not wait for it."""
        threading.Thread(target=lambda: self.post_message(work()), daemon=True).start()

    def _ask(self) -> Message:
        try:
            return Seen(self.client.status())
        except Ds01Error as error:
            return Told(f"{error.problem.message} This is the last picture; trying again.", lost=True)

    def on_seen(self, seen: Seen) -> None:
        """Show the new picture."""
        self._asking = False
        self.status = seen.status
        if self._lost:
            self._lost, self.told = False, ""
        self.draw()

    def on_told(self, told: Told) -> None:
        """Say it at the bottom."""
        if told.lost:
            self._asking, self._lost = False, True
        self.told = told.text
        self._say()

    def on_resize(self) -> None:
        """Everything fits the new width."""
        self.draw()

    def draw(self) -> None:
        """The whole picture; the screen changes only where it differs."""
        status = self.status
        if status is None:
            return
        names = [container.name for container in status.containers]
        if self.chosen not in names:
            self.chosen = names[0] if names else ""
        style = replace(self.style, width=max(self.size.width - 2, 20))
        shown = {
            "head": picture.head(status, style), "notices": picture.notices(status, style),
            "containers": picture.containers(status, self.chosen, style), "queue": picture.queue(status, style),
            "gpus": picture.gpus(status.gpus, style),
        }  # fmt: skip
        for part, lines in shown.items():
            self._put(part, lines)
        self._say()

    def _put(self, part: str, lines: list[str]) -> None:
        place = self.query_one(f"#{part}", Static)
        place.display = bool(lines)
        place.update(Text.from_ansi("\n".join(lines)))

    def _say(self) -> None:
        self.query_one("#told", Static).update(Text(self.told))

    # keys ------------------------------------------------------------------------------------------

    def action_choose(self, step: int) -> None:
        """The next container, or the one before."""
        if self.status is not None and self.status.containers:
            names = [container.name for container in self.status.containers]
            self.chosen = names[(names.index(self.chosen) + step) % len(names)]
            self.draw()

    def action_turn(self, step: int) -> None:
        """A page up or down, where the screen is small."""
        all_ = self.query_one(VerticalScroll)
        all_.scroll_relative(y=step * max(all_.size.height - 1, 1), animate=False)

    def action_attach(self) -> None:
        """A shell in the chosen container."""
        self._leave(ATTACH)

    def action_retire(self) -> None:
        """The questions of retire, about the chosen container."""
        self._leave(RETIRE)

    def action_extend(self) -> None:
        """Ask by how much, and do it."""
        container = self._container()
        if container is not None:
            self.push_screen(Extend(container), self._extend)

    def _extend(self, seconds: int | None) -> None:
        name = self.chosen
        if seconds:
            self.aside(lambda: self._extended(name, seconds))

    def _extended(self, name: str, seconds: int) -> Message:
        try:
            return Told(told_of(name, self.client.extend(name, seconds)))
        except Ds01Error as error:
            return Told(" ".join(filter(None, (error.problem.message, error.problem.reason))))

    def _leave(self, verb: str) -> None:
        container = self._container()
        if container is not None:
            self.exit(Wish(verb=verb, name=container.name))

    def _container(self) -> ContainerView | None:
        found = self.status.containers if self.status is not None else ()
        chosen = next((container for container in found if container.name == self.chosen), None)
        if chosen is None:
            self.told = "You have no container yet: ds01 launch NAME"
            self._say()
        return chosen

    def _handle_exception(self, error: Exception) -> None:
        """No stack trace reaches the screen: whoever opened the view gets what went wrong."""
        self.broken = self.broken or error
        super()._handle_exception(error)

    def _print_error_renderables(self) -> None:
        """Nothing: see above."""


def told_of(name: str, result: ExtendView) -> str:
    """What an extension came to."""
    ends = f" It may run until {show.clock(result.ends_at)}." if result.ends_at else ""
    return f"{name} may run {show.duration(result.added_seconds)} longer.{ends}"


def view(client: Client, style: Style, *, chosen: str = "", told: str = "") -> Wish | None:
    """Show it until somebody leaves; what she wishes then, None for nothing more."""
    top = Top(client, style, chosen=chosen, told=told)
    wish = top.run()
    if top.broken is not None:
        raise top.broken
    return wish
