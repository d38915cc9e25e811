"""Variables whose values are put in by the engine: none grows without end in its memory."""

from __future__ import annotations

import pytest

from ds01.domain.dockerpolicy import unjudged
from ds01.domain.dockerpolicy.commit import CHANGES, judge_changes, judge_config
from ds01.domain.dockerpolicy.dockerfile import read
from ds01.domain.dockerpolicy.growth import GROWN, Bases
from ds01.domain.dockerpolicy.verdict import RefusedError
from tests.effort import not_for_hours


def judged(text: str, *, env: tuple[str, ...] = (), triggers: tuple[str, ...] = (), **arguments: str) -> None:
    """As a build judges it, from one base with these variables and instructions."""
    bases = Bases(arguments)
    bases.add({"Env": list(env), "OnBuild": list(triggers)})
    bases.check(read(text, arguments))


def doubled(first: str, how: str = "ENV a{n}=$a{m}$a{m}", times: int = 40) -> str:
    return "FROM bb\n" + first + "\n" + "\n".join(how.format(n=n, m=n - 1) for n in range(1, times + 1)) + "\n"


ORDINARY = """
ARG VERSION=3.11
FROM debian:$VERSION AS build
ARG VERSION
ENV DEBIAN_FRONTEND=noninteractive LANG="C.UTF-8" \\
    CONDA_DIR=/opt/conda
ENV PATH=$CONDA_DIR/bin:$PATH LD_LIBRARY_PATH=${CONDA_DIR}/lib:${LD_LIBRARY_PATH:-/usr/lib}
ENV HOME /home/$USER
LABEL org.opencontainers.image.version="$VERSION" maintainer='somebody'
WORKDIR $HOME/work
RUN for i in $(seq 9); do echo $i$i$i$i; done
CMD ["sh", "-c", "echo $HOME"]
"""


def test_what_people_write_is_let_through() -> None:
    judged(ORDINARY, env=("PATH=/usr/local/bin:/usr/bin", "LIBRARY=" + "x" * 3000))
    judged("FROM bb\n" + "".join(f"ENV PATH=/opt/{n}/bin:$PATH\n" for n in range(40)))
    judged("FROM bb\nARG A B=2 C\nENV a.b-c='x y' d=\"$A $B\" e=\\ f=\nENV HOME my $A\nLABEL price=5$")
    judged("FROM bb\nARG WHAT\n" + "LABEL what=$WHAT\n" * 40, WHAT="x" * 900)
    judged("FROM bb\n" + "RUN make\n" * 200, env=("PATH=" + "x" * 4000,))


@pytest.mark.parametrize(
    "text",
    [
        doubled("ENV a0=xxxxxxxxxx"),
        doubled("ENV a0 xxxxxxxxxx", "ENV a{n} $a{m}$a{m}"),
        doubled("ARG a0=xxxxxxxxxx", "ARG a{n}=${{a{m}}}${{a{m}}}"),
        doubled("ENV a=xxxxxxxxxx", 'ENV a="$a$a"'),
        doubled("ENV a=xxxxxxxxxx", "ENV a=x\\ $a b=$a$a a=$b"),
        doubled("ENV a0=xxxxxxxxxx", "ENV a{n}='x'${{a{m}:-$a{m}}}$a{m}"),
        doubled("ENV a0=xxxxxxxxxx", "ENV a{n}=${{a{m}//x/xxxxxxxx}}", 10),
        doubled("ARG a0=xxxxxxxxxx", "ARG x a{n}=$a{m}$a{m}"),
        "FROM bb\nENV a=" + "x" * 9000 + "\nLABEL b=" + "$a" * 200,
        "FROM bb\n" + "LABEL b=" + "x" * 65_600,
        "FROM bb\nENV a=" + "x" * 30_000 + "\n" + "RUN true\n" * 900,
        "FROM bb\n" + "WORKDIR $a\n" * 900 + "ENV a=" + "x" * 9000 + "\n" + "LABEL b=$a\n" * 90,
    ],
)  # fmt: skip
def test_e33_what_grows_without_end_is_refused_before_it_is_built(text: str) -> None:
    with pytest.raises(RefusedError, match="grow over") as refused:
        judged(text)
    assert refused.value.rule == "build.grown"
    assert "COPY" in refused.value.advice


@pytest.mark.parametrize(
    "text",
    [
        doubled("ENV é0=xxxxxxxxxx", "ENV é{n}=$é{m}$é{m}"),
        doubled("ENV 1=xxxxxxxxxx", "ENV 1=$1$1"),
        doubled("ENV a=xxxxxxxxxx", "ENV a=1 @=$@$@"),
        doubled("ENV a0=xxxxxxxxxx", 'ENV "a{n}"=$a{m}$a{m}'),
        doubled("ENV a0=xxxxxxxxxx n=a", "ENV ${{n}}{n}=$a{m}$a{m}"),
        doubled("LABEL a=b", "LABEL a=$aé"),
        "FROM bb\nENV a=b c",
        "FROM bb\nARG a='",
    ],
)  # fmt: skip
def test_e33_variables_have_plain_names(text: str) -> None:
    """Nobody knows which is set otherwise, and how long it becomes."""
    with pytest.raises(RefusedError, match="cannot be read") as refused:
        judged(text)
    assert refused.value.rule == "build.grown"


def test_e33_a_base_with_a_long_variable_counts_as_long() -> None:
    """Else each build would make it longer than the one before."""
    judged("FROM bb\nENV b=$a$a$a")
    with pytest.raises(RefusedError):
        judged("FROM bb\nENV b=$a$a$a", env=("a=" + "x" * 500_000,))
    with pytest.raises(RefusedError):
        judged("FROM bb\nARG a\nENV b=$a$a$a", a="x" * 500_000)
    with pytest.raises(RefusedError):
        judged("FROM bb", triggers=tuple(f"ENV a{n}=$a{n - 1}$a{n - 1}" for n in range(1, 41)))


def test_e33_quotes_that_do_not_end_keep_nobody_waiting() -> None:
    with not_for_hours():
        for mark in ('"', "'", "\\", "a="):
            with pytest.raises(RefusedError):
                judged("FROM bb\nENV a=" + f"a={mark}" * (GROWN // 3) + " $b" * 1000)


def test_e33_changes_of_a_commit_name_no_variables() -> None:
    """Every commit would double what the one before it made."""
    for text in ("ENV a=$a$a", "LABEL a=${b}", "workdir $a"):
        with pytest.raises(RefusedError, match="names a variable"):
            judge_changes([text], {})
    assert judge_changes(['CMD ["sh", "-c", "echo $HOME"]'], {})[0].startswith("CMD")
    with pytest.raises(RefusedError, match="changes at most"):
        judge_changes(["ENV a=b\n" * (CHANGES + 1)], {})


@pytest.mark.parametrize("how", ["ENV ", "env ", "ENV\t", " Env ", "E\\\nNV ", "ENV \\\n"])
def test_e33_a_trigger_counts_however_it_is_written(how: str) -> None:
    with pytest.raises(RefusedError, match="grow over"):
        judged("FROM bb", triggers=("ENV a0=xxxxxxxxxx", *(f"{how}a{n}=$a{n - 1}$a{n - 1}" for n in range(1, 41))))


def test_d23_a_commit_brings_triggers_of_one_line() -> None:
    assert judge_config({"OnBuild": ["run  a"]}, {}, [])["OnBuild"] == ["RUN a"]
    with pytest.raises(RefusedError):
        judge_config({"OnBuild": ["COPY \\\n--from=alice/private / /"]}, {}, [])
    for change in ("ONBUILD COPY \\\n--from=alice/private / /", "ONBUILD \\\nCOPY --from=alice/private / /"):
        with pytest.raises(RefusedError):
            judge_changes([change], {})


def kept_for_later(*lines: str) -> str:
    """A Dockerfile whose second stage runs these of the first."""
    return "\n".join(["FROM bb AS a", *lines, "FROM a", ""])


KEPT_FOR_LATER = [
    kept_for_later("ENV a0=xxxxxxxxxx", *(f"ONBUILD ENV a{n}=$a{n - 1}$a{n - 1}" for n in range(1, 41))),
    kept_for_later("ENV a=x b=x", "ONBUILD ENV b=" + "$a" * 9000, "ENV a=" + "x" * 9000),
    kept_for_later("ENV a=x b=x", "onbuild\tenv b=" + "$a" * 9000, "ENV a=" + "x" * 9000),
    kept_for_later("ENV a=x b=x", "ONBUILD LABEL b=" + "$a" * 9000, "ENV a=" + "x" * 9000),
]


@pytest.mark.parametrize("text", KEPT_FOR_LATER)
def test_e33_what_is_kept_for_later_counts_where_it_is_done(text: str) -> None:
    """A stage that stands on another runs its ONBUILD first, when the variables are as long as they became."""
    for check in (judged, lambda text: unjudged.check(text.encode(), {})):
        with pytest.raises(RefusedError, match="grow over"):
            check(text)


def test_e33_a_bases_triggers_count_for_each_stage_on_it() -> None:
    triggers = ("ARG a", "ENV b=" + "$a" * 500)
    judged("FROM bb\nRUN x", triggers=triggers)
    with pytest.raises(RefusedError, match="grow over"):
        judged("ARG a=" + "x" * 4000 + "\nFROM bb\nRUN x", triggers=triggers)
    with not_for_hours(), pytest.raises(RefusedError, match="more than 10,000"):
        judged("FROM bb\n" * 999, triggers=("RUN x",) * 1000)
    with not_for_hours(), pytest.raises(RefusedError, match="more than 10,000"):
        judged("FROM bb AS a\n" + "ONBUILD RUN x\n" * 400 + "FROM a\n" * 500)
    with not_for_hours(), pytest.raises(RefusedError, match="more than 10,000"):
        unjudged.check(("FROM bb AS a\n" + "ONBUILD RUN x\n" * 400 + "FROM a\n" * 500).encode(), {})


def test_what_people_keep_for_later_is_let_through() -> None:
    text = kept_for_later(
        "WORKDIR /app", "ONBUILD COPY . /app", "ONBUILD ENV PATH=/app/bin:$PATH", "ONBUILD RUN make", "FROM a AS b",
        "RUN make test",
    )  # fmt: skip
    judged(text, env=("PATH=/usr/bin",), triggers=("COPY . /x", "RUN y", "ENV PATH=$PATH:/y"))
    unjudged.check(text.encode(), {})
