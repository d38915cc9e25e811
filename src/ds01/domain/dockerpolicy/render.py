"""A judged Dockerfile as the engine gets it: ids for names, and the owner's label under every layer.

The engine takes a layer from its cache when its parent and its command are the same, whoever built it and whatever
proxy or host entry made its content. Two users' builds therefore never share a parent: the first layer on every base
is a label with the owner. The last one says it again, over whatever the Dockerfile says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ds01.domain.dockerpolicy.dockerfile import Instruction
from ds01.domain.dockerpolicy.verdict import RefusedError, malformed

_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$"})


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """``text`` is for the engine; ``shown`` has a line for each of its steps as the user wrote it, None for ours."""

    text: str
    shown: tuple[str | None, ...]


def render(
    instructions: Sequence[Instruction], ids: Mapping[str, str], *, owner: Mapping[str, str],
    labels: Mapping[str, str], target: str = "",
) -> Rendered:  # fmt: skip
    """The text. Raises RefusedError when there is no stage ``target``."""
    kept = _until(instructions, target) if target else instructions
    lines: list[str] = []
    shown: list[str | None] = []
    for instruction in kept:
        lines.append(instruction.line(ids))
        shown.append(instruction.line({image: image for image in instruction.images}))
        if instruction.name == "FROM":
            lines.append(_label(owner))
            shown.append(None)
    lines.append(_label({**labels, **owner}))
    shown.append(None)
    return Rendered(text="".join(f"{line}\n" for line in lines), shown=tuple(shown))


def render_whole(instructions: Sequence[Instruction], names: Mapping[str, str]) -> str:
    """The text for BuildKit: every image by the name that was judged. Whose it is, its other parameters say."""
    return "".join(f"{instruction.line(names)}\n" for instruction in instructions)


def _label(labels: Mapping[str, str]) -> str:
    return "LABEL " + " ".join(f'"{key.translate(_ESCAPED)}"="{value.translate(_ESCAPED)}"'
                               for key, value in labels.items())  # fmt: skip


def _until(instructions: Sequence[Instruction], target: str) -> Sequence[Instruction]:
    """The Dockerfile up to the end of one stage, by its name or number."""
    starts = [index for index, instruction in enumerate(instructions) if instruction.name == "FROM"]
    names = [_stage(instructions[start]) for start in starts]
    wanted = target.lower()
    if wanted in names:
        number = names.index(wanted)
    elif wanted.isdecimal() and int(wanted) < len(starts):
        number = int(wanted)
    else:
        raise malformed("build.target", f"failed to reach build target {target} in Dockerfile")
    return instructions[: (*starts, len(instructions))[number + 1]]


def _stage(instruction: Instruction) -> str:
    words = instruction.text.split()
    return words[3].lower() if len(words) == 4 else ""


def missing(path: str) -> RefusedError:
    """The context has no such Dockerfile; in the engine's words, which clients know."""
    return malformed("build.dockerfile", f"Cannot locate specified Dockerfile: {path}")
