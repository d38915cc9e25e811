"""Dockerfiles that pass as they are: what grows in them is seen however it is written."""

from __future__ import annotations

import pytest

from ds01.domain.dockerpolicy.dockerfile import INSTRUCTIONS, LENGTH
from ds01.domain.dockerpolicy.unjudged import check
from ds01.domain.dockerpolicy.verdict import RefusedError
from tests.effort import not_for_hours
from tests.unit.dockerpolicy.test_growth import ORDINARY

MODERN = """# syntax=docker/dockerfile:1
# check=skip=all
ARG BASE=bb
FROM --platform=$BUILDPLATFORM $BASE AS one
RUN --mount=type=cache,target=/root/.cache,id=$TARGETARCH <<EOF
env A=1 make "$x" && ENV=\\
EOF
RUN <<-'END' sh -e
\targ "$x"
\tEND
COPY <<conf /etc/conf
path=$PATH
conf
COPY --link --parents --exclude=*.md --from=one /a /b
ADD --checksum=sha256:0 https://x.org/y.git#main /y
RUN echo $((1<<2)) && for i in 1 2; do \\
    # a comment

    label=$i$i$i$i; \\
  done
NEW whatever $X
ONBUILD ENV A=b
"""


def checked(text: str, **arguments: str) -> None:
    check(text.encode(), arguments)


def test_what_people_write_is_let_through() -> None:
    checked(ORDINARY)
    checked(MODERN)
    checked(MODERN.replace("\n", "\r\n"))
    checked("\ufeff# escape=\\\nFROM bb\n")
    checked("FROM bb\n# nothing\n\n" * INSTRUCTIONS)


GROWS = [f"ENV a{n}=$a{n - 1}$a{n - 1}" for n in range(1, 41)]


def grows(how: str) -> str:
    """Forty instructions, each in this form."""
    return "FROM bb\nENV a0=xxxxxxxxxx\n" + "".join(how.replace("{}", line) + "\n" for line in GROWS)


@pytest.mark.parametrize(
    "text",
    [
        grows("{}"), grows("  {}"), grows("\\\n# x\n\n{}"), grows("ONBUILD\t{}"), grows("onbuild {}").lower(),
        "FROM bb\nENV a0=xxxxxxxxxx\n" + "".join(line.replace("V", "\\\nV", 1) + "\n" for line in GROWS),
        "FROM bb\nENV a0=xxxxxxxxxx\n" + "".join(line.replace(" ", "\v", 1) + "\n" for line in GROWS),
        grows("RUN x <<<a\n{}\na"), grows('RUN "\n <<a\n{}\na'), grows("RUN echo <<\"a\\\" b\n{}"),
        grows("RUN x <<'E\\'\nE\\\n{}"), grows("RUN x <<a\na\n{}"), grows("RUN \"x <<a \"\n{}\na"),
        grows("RUN x <<'a' \"\n{}\na"), grows("CMD <<a\n{}\na"),
        "FROM bb\n" + "\n".join(GROWS[:16]).replace("$a0$a0", "xxxxxxxxxxxx") + "\nRUN --mount=target=/$a16$a16 x",
        "FROM bb\nENV a=" + "x" * 9000 + "\nCOPY <<e /x\n" + "$a " * 200 + "\ne\n",
        "FROM bb\nCOPY <<e /x\n" + "$a " * 2000 + "\ne\n",
        "ARG a=" + "x" * 3000 + "\nFROM " + "$a" * 400,
        "FROM bb\nLABEL a=" + "x" * 66_000,
        "# escape=`\nFROM bb", "FROM bb\n" + "RUN x\n" * INSTRUCTIONS, "FROM bb\nRUN " + "x" * LENGTH,
        "FROM bb\nENV a=\x1fb",
    ],
)  # fmt: skip
def test_e33_what_grows_is_seen(text: str) -> None:
    with pytest.raises(RefusedError):
        checked(text)


def test_e33_what_the_build_says_counts() -> None:
    checked("FROM bb\nARG a\nENV b=$a$a")
    with pytest.raises(RefusedError, match="grow over"):
        checked("FROM bb\nARG a\nENV b=$a$a", a="x" * 600_000)


@pytest.mark.parametrize("line", ["\\", "x\\", "ENV a=b\\", 'RUN "<<a', "ONBUILD " * 20, "# escape", "<<", "\\  \\"])
def test_e33_long_ones_keep_nobody_waiting(line: str) -> None:
    with not_for_hours():
        try:
            checked(('FROM bb\nRUN "<<a\n' + f"{line}\n" * (LENGTH // len(line) // 2))[:LENGTH])
        except RefusedError as refused:
            assert refused.rule in ("build.dockerfile", "build.grown")  # noqa: PT017


def test_e33_texts_that_never_end_keep_nobody_waiting() -> None:
    """Each is looked for in all lines that are left, and every look at a line counts."""
    marks = [f"RUN <<a{n}\n" for n in range(900)]
    checked("FROM bb\n" + "".join(marks[:1]) + "\n" * 8000)
    with pytest.raises(RefusedError, match="cannot be read"):
        checked("FROM bb\n" + "".join(marks) + "\n" * 8000)
    with not_for_hours(), pytest.raises(RefusedError, match="cannot be read"):
        checked("FROM bb\n" + "".join(marks) + "\n" * (LENGTH - len("".join(marks)) - 8))
