"""By how much? A small question over the live view, which is also its confirmation."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ds01.cli import reads, show
from ds01.wire.containers import ContainerView

USUAL = "4h"


class Extend(ModalScreen[int | None]):
    """The seconds, or None when she would rather not."""

    CSS = """
    Extend { align: center middle; background: transparent; }
    Extend Vertical { width: 60; max-width: 90%; height: auto; border: solid ansi_default; padding: 0 1;
      background: ansi_default; }
    Extend Input { border: none; background: ansi_default; height: 1; margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave it")]

    def __init__(self, container: ContainerView) -> None:
        super().__init__()
        self.container = container

    def compose(self) -> ComposeResult:
        """What it is about, the field, and what the keys do."""
        left = show.left(self.container.runtime_left_seconds)
        yield Vertical(
            Static(f"Extend {self.container.name} by?" + (f" {left} are left." if left else "")),
            Input(USUAL, id="by", select_on_focus=True),
            Static("Enter: do it.  Escape: leave it.", id="word"),
        )

    def on_input_submitted(self, typed: Input.Submitted) -> None:
        """Done, when it is a time."""
        try:
            self.dismiss(reads.seconds(typed.value.strip()))
        except ValueError:
            self.query_one("#word", Static).update(f"'{typed.value}' is no time. Write 4h, or 1h30m.")
