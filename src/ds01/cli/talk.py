"""What is said: results to stdout, talk to stderr, questions only to somebody who is there.

Nothing else in the command line prints. A question without a terminal is an error that names the option it
needed; ``--yes`` answers all of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from ds01.cli.style import Style, safe, style, wrap
from ds01.domain.errors import NEEDS_ANSWER, Ds01Error
from ds01.domain.record import record

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import TextIO


@record(frozen=False)
class Talk:
    """The user's ears and mouth for one command."""

    out: Style
    err: Style
    stdout: TextIO
    stderr: TextIO
    stdin: TextIO
    json: bool = False
    yes: bool = False
    no_input: bool = False
    dry_run: bool = False
    quiet: bool = False
    verbose: bool = False

    # results ---------------------------------------------------------------------------------------

    def data(self, text: str = "") -> None:
        """A line of the result."""
        self.stdout.write(safe(text) + "\n")

    def emit(self, value: object) -> None:
        """The result as JSON: a dataclass, or a list of them."""
        self.data(_json(value, indent=2))

    def record(self, value: object) -> None:
        """One record of a stream, as a line of JSON, at once."""
        self.data(_json(value))
        self.stdout.flush()

    # talk ------------------------------------------------------------------------------------------

    def say(self, text: str = "") -> None:
        """Something to know, unless ``--quiet``."""
        if not self.quiet:
            self.tell(text)

    def say_line(self, line: str) -> None:
        """A line that is laid out already, unless ``--quiet``."""
        if not self.quiet:
            self.stderr.write(safe(line) + "\n")
            self.stderr.flush()

    def detail(self, text: str) -> None:
        """Something to know for those who asked with ``--verbose``."""
        if self.verbose:
            self.tell(self.err("dim", text))

    def done(self, text: str) -> None:
        """Something that has been done."""
        self.say(f"{self.err('green', self.err.sign('✓', 'Done:'))} {text}")

    def warn(self, text: str) -> None:
        """Something that may surprise."""
        self.tell(f"{self.err('yellow', self.err.sign('!', 'Warning:'))} {text}")

    def title(self, text: str) -> None:
        """A heading."""
        self.say(self.err("cyan", text))

    def next(self, *commands: str) -> None:
        """What one usually types now."""
        shown = " · ".join(commands) if self.err.symbols else ", or ".join(commands)
        self.say(f"{self.err('dim', 'Next:')} {shown}")

    def tell(self, text: str) -> None:
        """Something that is said even with ``--quiet``. Wrapped for people; a log gets each sentence on one line."""
        self.stdout.flush()
        for paragraph in text.split("\n"):
            for line in self._lines(paragraph):
                self.stderr.write(safe(line) + "\n")
        self.stderr.flush()

    def _lines(self, paragraph: str) -> list[str]:
        if not paragraph.strip() or not self.err.cut:
            return [paragraph.rstrip()]
        indent = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))]
        return wrap(paragraph, self.err.width, indent=indent)

    def step(self, text: str) -> AbstractContextManager[None]:
        """Something that may take a while; shown while it lasts where somebody is looking."""
        from ds01.cli.progress import step

        return step(self, text)

    @property
    def watched(self) -> bool:
        """Whether progress would be seen."""
        return self.stderr.isatty() and not self.quiet and not self.err.plain

    # questions -------------------------------------------------------------------------------------

    @property
    def somebody_there(self) -> bool:
        """Whether a question would reach a person."""
        return not self.no_input and self.stdin.isatty() and self.stderr.isatty()

    def confirm(self, question: str, *, default: bool, flag: str = "--yes") -> bool:
        """Ask yes or no. ``flag`` is the option that answers it when nobody is there."""
        if self.yes:
            return True
        choice = "[Y/n]" if default else "[y/N]"
        while True:
            answer = self._answer(question, choice, flag).lower()
            if answer in ("", "y", "yes", "n", "no"):
                return default if not answer else answer.startswith("y")
            self.warn("Please answer y or n.")

    def ask(self, question: str, *, flag: str, default: str = "", check: Callable[[str], object] = str) -> str:
        """Ask for a word. ``check`` raises ValueError or Ds01Error with a sentence when it will not do.

        A secret that was given by mistake ends it: the rest of what was pasted is thrown away, unread.
        """
        while True:
            answer = self._answer(question, f"[{default}]" if default else "", flag) or default
            try:
                check(answer)
            except Ds01Error as error:
                if error.problem.details.get("private"):
                    self.forget_typed()
                    raise
                self.warn(" ".join(filter(None, (str(error), error.problem.reason, error.problem.hint))))
            except ValueError as error:
                self.warn(f"{error}.".replace("?.", "?").replace("..", "."))
            else:
                return answer

    def choose(self, question: str, options: Sequence[tuple[str, str]], *, flag: str, default: str) -> str:
        """Ask for one of several keys, each shown with its meaning."""
        self.tell(question)
        for key, meaning in options:
            self.tell(f"  {self.err('bold', key)}  {meaning}")
        keys = [key for key, _ in options]
        while True:
            answer = self._answer("/".join(keys), f"[{default}]", flag).lower() or default
            if answer in keys:
                return answer
            self.warn(f"Please answer one of {', '.join(keys)}.")

    def forget_typed(self) -> None:
        """Throw away what was typed or pasted and not read yet."""
        import termios

        if self.stdin.isatty():
            termios.tcflush(self.stdin.fileno(), termios.TCIFLUSH)

    def _answer(self, question: str, choice: str, flag: str) -> str:
        if not self.somebody_there:
            raise Ds01Error(
                NEEDS_ANSWER,
                f"An answer is needed: {question}",
                reason="There is no terminal to ask on." if not self.no_input else "--no-input was given.",
                hint=f"Add {flag}.",
            )
        self.stdout.flush()
        text = safe("\n".join(self._lines(f"{question} {choice}".rstrip())))
        self.stderr.write(f"{text.removesuffix(choice)}{self.err('dim', choice)} " if choice else f"{text} ")
        self.stderr.flush()
        line = self.stdin.readline()
        if not line:
            self.stderr.write("\n")
            raise KeyboardInterrupt
        return line.strip()


def _json(value: object, indent: int | None = None) -> str:
    """Imported when needed: help and tables do without."""
    import json

    from ds01.wire.codec import plain

    return json.dumps(plain(value), indent=indent, ensure_ascii=False)


def talk(
    *, json: bool = False, yes: bool = False, no_input: bool = False, dry_run: bool = False, quiet: bool = False,
    verbose: bool = False, color: str | None = None, plain: bool = False,
) -> Talk:  # fmt: skip
    """The talk of this process, from the options every command takes."""
    when = color or "auto"
    return Talk(
        out=style(sys.stdout, when=when, plain=plain), err=style(sys.stderr, when=when, plain=plain),
        stdout=sys.stdout, stderr=sys.stderr, stdin=sys.stdin,
        json=json, yes=yes, no_input=no_input, dry_run=dry_run, quiet=quiet, verbose=verbose,
    )  # fmt: skip
