"""Dockerfiles: read as the engine reads them, or refused; every image they name is known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.dockerfile import INSTRUCTIONS, LENGTH, VALUE, Instruction, images, judged_triggers, read
from ds01.domain.dockerpolicy.render import render
from ds01.domain.dockerpolicy.verdict import RefusedError
from tests.effort import not_for_hours, tries

OWNER = {"ds01.owner.uid": "1002", "ds01.owner.epoch": "1"}


def texts(dockerfile: str, **arguments: str) -> list[str]:
    return [instruction.text for instruction in read(dockerfile, arguments)]


def test_continuations_and_comments_become_one_line() -> None:
    text = '# hello\nFROM bb\nRUN a && \\\n  # why\n\n  b \\\n  c\n\n  CMD ["x"]\n'
    assert texts(text) == ["FROM {image}", "RUN a &&   b   c", 'CMD ["x"]']


def test_crlf_and_a_byte_order_mark_are_no_matter() -> None:
    assert texts("\ufeffFROM bb\r\nRUN a \\\r\n b\r\n") == ["FROM {image}", "RUN a  b"]


def test_blanks_in_a_directive_keep_nobody_waiting() -> None:
    with not_for_hours():
        assert texts("# check=a" + " " * (LENGTH - 20) + "b\nFROM bb") == ["FROM {image}"]


@pytest.mark.parametrize(
    "text",
    [
        "ARG a0=xxxxxxxxxx\n" + "".join(f"ARG a{n}=$a{n - 1}$a{n - 1}\n" for n in range(1, 41)) + "FROM $a40",
        "ARG a=" + "x" * VALUE + "\nFROM " + "$a" * 400_000,
        "ARG a=" + "x" * VALUE + "\nARG b=" + "$a" * 400_000 + "\nFROM b",
        "ARG a=" + "x" * (VALUE + 1) + "\nFROM $a",
        "ARG a=" + "x" * VALUE + "\nARG " + " ".join(f"b{n}=$a" for n in range(INSTRUCTIONS)) + "\nFROM b",
        "FROM scratch\n" * 80_000,
        "FROM bb\nRUN " + "--network=none " * 60_000 + "x",
        "FROM bb\n#" + "x" * LENGTH,
    ],
    ids=["doubled", "from", "arg", "long", "many", "stages", "flags", "length"],
)
def test_no_dockerfile_grows_without_end(text: str) -> None:
    with not_for_hours(), pytest.raises(RefusedError) as caught:
        read(text, {}, buildkit=True)
    assert caught.value.status == 400


def test_what_is_given_for_an_argument_grows_no_further_than_what_is_written() -> None:
    with not_for_hours(), pytest.raises(RefusedError):
        read("ARG a\nFROM " + "$a" * 400_000, {"a": "x" * 4_000_000})


def test_long_and_many_is_fine_where_a_dockerfile_has_it() -> None:
    text = "ARG LIST=" + "x" * 20_000 + "\nARG T=1\nFROM bb:$T\nRUN " + "y" * 100_000 + "\nRUN z" * 900
    assert images(read(text, {})) == ("bb:1",)


def test_images_are_found_wherever_they_are_named() -> None:
    found = read(
        "ARG TAG=1\nARG BASE=bb:$TAG\nFROM ${BASE} AS one\nFROM one as two\nFROM scratch\n"
        "COPY --from=two /x /x\nCOPY --from=0 /x /x\nCOPY --chown=1:1 --from=alice/private:3 /k /k\n",
        {"TAG": "2"},
    )
    assert images(found) == ("bb:2", "alice/private:3")
    assert [each.text for each in found][-1] == "COPY --from={image} --chown=1:1 /k /k"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("FROM $X", "y"), ("FROM ${X}", "y"), ("FROM ${X:-z}", "y"), ("FROM ${N:-z}", "z"), ("FROM ${X:+w}", "w")],
)
def test_variables_of_from(text: str, expected: str) -> None:
    assert images(read(f"ARG X\nARG N\n{text}", {"X": "y"})) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "F\\\nROM alice/private", "FROM\talice/private", "  from alice/private",
        "FROM --platform=linux/amd64 alice/private",
        "FROM bb\nCOPY \\\n--from=alice/private / /", "FROM bb\ncopy --FROM=alice/private / /",
        "FROM bb\nCOPY --chown=0:0 \\\n # c\n --from=alice/private / /", 'FROM "alice/private"',
    ],
)  # fmt: skip
def test_a_hidden_image_is_found_or_refused(text: str) -> None:
    try:
        found = images(read(text, {}))
    except RefusedError:
        return
    assert "alice/private" in found


@pytest.mark.parametrize(
    "text",
    [
        "", "RUN x", "CMD x\nFROM bb", "FROM", "FROM a b", "FROM a AS 0", "FROM ${X", "FROM bb\nNONSENSE x",
        "# escape=`\nFROM bb", "FROM bb\nRUN a \\\\\nb", "FROM bb\nCOPY --from=$X / /", "FROM bb\nCOPY --from=9 / /",
        'FROM bb\nCOPY "--from=alice" / /\nCOPY --from="alice" / /', "FROM bb\nCOPY --from=al\\ice / /",
        "FROM bb\nCOPY --link --from=alice / /", "FROM bb\nCOPY\u00a0--from=alice / /", "FROM bb\nRUN a\x0bb",
        "FROM bb\nCOPY\x0c--from=alice / /", "FROM bb\nRUN --mount=type=bind,from=alice,target=/a cat /a/k",
        "FROM bb\nRUN --network=host x", "FROM bb\nRUN --security=insecure x",
        "FROM bb\nRUN --device=nvidia.com/gpu=all x",
        "FROM bb\nADD http://169.254.169.254/ /x", "FROM bb\nARG U\nADD $U /x", 'FROM bb\nADD ["http://a/", "/x"]',
        'FROM bb\nADD ["\\u0068ttp://a/", "/x"]', "FROM bb\nADD h\\ttp://a /x", "FROM bb\nADD git@host:x /x",
        "FROM bb\nADD --checksum=sha256:0 http://a /x", "FROM bb\nADD [x /y", "FROM bb\nONBUILD COPY --from=alice / /",
        "FROM bb\nONBUILD ADD http://a /", "FROM bb\nONBUILD FROM x", "FROM bb\nONBUILD ONBUILD RUN x",
        "FROM bb\nRUN <<EOF\nFROM alice/private\nEOF", "FROM bb\nCOPY <<EOF /x\nEOF", "FROM bb\nRUN cat <<-'X' 3<<Y",
        "FROM ../x", "FROM bb\nCOPY --from=a/../b / /", "FROM bb\nONBUILD COPY <<RUN /x\nRUN",
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        read(text, {})


@pytest.mark.parametrize(
    "source",
    [
        "bob@10.0.0.5:x.git", "10.0.0.5:x.git", "a-b_c@host.lab:x/y.git#main:dir", "host:x", "host:/x", "a:b", ":x",
        "bob@host:x.git?ref=main", "git@host:x", "git@host/x", "ssh://host/x",
    ],
)  # fmt: skip
def test_d25_what_add_may_take_for_an_address_of_git_is_refused(source: str) -> None:
    for line in (
        f"ADD {source} /d", f"add\t{source}\t/d", f"ADD a {source} b /d", f"ADD \\\n {source} /d",
        f'ADD ["{source}", "/d"]', f'ADD ["a","{source}","/d"]', f'ADD --chmod=644 ["{source}", "/d"]',
        f"ADD --chown=1:1 {source} /d", f"ONBUILD ADD {source} /d", f"ARG A={source}\nADD $A /d",
        f"ENV A={source}\nADD ${{A}} /d", "ARG A=host\nADD $A:x /d",
    ):  # fmt: skip
        with pytest.raises(RefusedError) as caught:
            read(f"FROM bb\n{line}", {}, buildkit=True)
        assert caught.value.rule == "build.add", line
    with pytest.raises(RefusedError):
        judged_triggers([f"ADD {source} /d"])


def test_a_file_of_the_context_may_have_a_colon_in_its_name() -> None:
    lines = ["ADD ./a:b /d:e", "ADD dir/a:b c /d", 'ADD ["./a:b", "d:e"]', "COPY a:b /d", "ADD --chown=1:1 a /d"]
    assert texts("\n".join(["FROM bb", *lines])) == ["FROM {image}", *lines]


@pytest.mark.parametrize(
    ("line", "said"),
    [("COPY --from=5 / /", "COPY --from=5"), ("RUN --mount=type=bind,from=5,target=/a x", "RUN --mount from=5")],
)
def test_a_stage_that_is_not_there_is_told_of_the_instruction_that_names_it(line: str, said: str) -> None:
    with pytest.raises(RefusedError, match=f"^{said} names no earlier stage$"):
        read(f"FROM bb\n{line}", {}, buildkit=True)


def test_a_triggers_of_a_base_is_judged_too() -> None:
    assert judged_triggers(["RUN pip install x", "COPY . /app", "ADD a.tar /"]) == (
        "RUN pip install x", "COPY . /app", "ADD a.tar /",
    )  # fmt: skip
    for trigger in ("COPY --from=alice / /", "ADD http://a /", "FROM x"):
        with pytest.raises(RefusedError):
            judged_triggers([trigger])


def test_a_trigger_is_read_with_its_lines_joined() -> None:
    found = ["RUN a && \\\n  b \\\n\n c", "\n copy\t. /app\n", "RUN x \\", "R\\\nUN y"]
    assert judged_triggers(found) == ("RUN a &&   b  c", "COPY . /app", "RUN x", "RUN y")


@pytest.mark.parametrize(
    "trigger",
    [
        "COPY \\\n--from=alice / /", "COPY \\  \n\n\t--from=alice / /", "C\\\nOPY --from=alice / /",
        "COPY --chown=1:1 \\\n--from=alice / /", "RUN \\\n--mount=type=bind,from=alice,target=/a cat /a/k",
        "ADD \\\nhttp://a /x", "ADD ht\\\ntp://a /x", "ON\\\nBUILD RUN x", "FROM \\\nalice",
        "HEALTHCHECK \\\n--interval=1ms CMD x",
    ],
)  # fmt: skip
def test_d23_d25_what_a_trigger_says_behind_the_end_of_a_line_is_judged(trigger: str) -> None:
    with pytest.raises(RefusedError):
        judged_triggers([trigger])


@pytest.mark.parametrize(
    "trigger",
    [
        "", " \n\t\n", "\\", "RUN a\nRUN b", "RUN a\nCOPY --from=alice / /", "# escape=`\nCOPY `\n--from=alice / /",
        "#escape=\\\nRUN x", "# check=skip=all\nRUN x", "# syntax=alice\nRUN x", "#\nRUN x", "RUN x\n # why",
        "RUN a \\\n # why\n b", "RUN a \\\\\nb", "RUN a \\ \\", "COPY <<EOF /x\nEOF", "COPY <<EOF /x", "RUN <<EOF\nEOF",
    ],
)  # fmt: skip
def test_a_trigger_is_one_instruction_or_refused(trigger: str) -> None:
    with pytest.raises(RefusedError, match=r"is not one instruction|two backslashes|here-document"):
        judged_triggers([trigger])


@pytest.mark.parametrize(
    "trigger", ["RUN x\r\n", "RUN a \\\r\n b", "\ufeffRUN x", "RUN x\x0bb", "RUN a\u2028b", "RUN\u00a0x"]
)
def test_a_trigger_has_no_other_ends_of_lines(trigger: str) -> None:
    with pytest.raises(RefusedError, match="character U"):
        judged_triggers([trigger])


def test_shell_redirections_are_no_here_documents() -> None:
    assert texts('FROM bb\nRUN python -c "1 << 3" < x') == ["FROM {image}", 'RUN python -c "1 << 3" < x']


def test_the_owner_is_under_every_layer_and_on_top() -> None:
    made = render(
        read("FROM bb AS a\nRUN x\nFROM a\nCMD y", {}), {"bb": "sha256:1"}, owner=OWNER, labels={"l": 'a"$b\\'}
    )
    label = 'LABEL "ds01.owner.uid"="1002" "ds01.owner.epoch"="1"'
    assert made.text.splitlines() == [
        "FROM sha256:1 AS a", label, "RUN x", "FROM a", label, "CMD y",
        'LABEL "l"="a\\"\\$b\\\\" "ds01.owner.uid"="1002" "ds01.owner.epoch"="1"',
    ]  # fmt: skip
    assert made.shown == ("FROM bb AS a", None, "RUN x", "FROM a", None, "CMD y", None)


@pytest.mark.parametrize(("target", "last"), [("one", "RUN a"), ("ONE", "RUN a"), ("0", "RUN a"), ("two", "RUN b")])
def test_a_target_ends_the_text(target: str, last: str) -> None:
    made = render(
        read("FROM bb AS one\nRUN a\nFROM one AS two\nRUN b", {}), {"bb": "i"}, owner=OWNER, labels={}, target=target
    )
    assert made.shown[-2] == last


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(RefusedError):
        render((Instruction(text="FROM a"),), {}, owner=OWNER, labels={}, target="nowhere")


PARTS = st.sampled_from(
    ["FROM bb", "FROM a AS b", "RUN x", "\\", "\\\\", "\n", "\r\n", "\t", " ", "#", "# escape=`", "COPY --from=a",
     " / /", "\u00a0", "\x0b", "ADD ", "<<E", "$X", "ONBUILD ", "`", "from "]
)  # fmt: skip


@settings(max_examples=tries(600), deadline=None)
@given(st.lists(PARTS, max_size=14).map("".join))
def test_every_line_we_write_is_one_instruction(text: str) -> None:
    try:
        found = read(text, {})
    except RefusedError:
        return
    made = render(found, dict.fromkeys(images(found), "sha256:1"), owner=OWNER, labels={})
    for line in made.text.splitlines():
        assert line.split(" ")[0].isalpha()
        assert not line.rstrip().endswith("\\")
    assert len(made.text.splitlines()) == len(made.shown)
    assert made.text.count("\n") == len(made.shown)


@settings(max_examples=tries(600), deadline=None)
@given(st.lists(PARTS, max_size=14).map("".join))
def test_every_trigger_we_pass_is_one_line_that_is_read_again_as_it_is(text: str) -> None:
    try:
        (line,) = judged_triggers([text])
    except RefusedError:
        return
    assert texts(f"FROM bb\nONBUILD {line}")[-1] == f"ONBUILD {line}"
    assert judged_triggers([line]) == (line,)
