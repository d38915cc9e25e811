"""Requirements files: what they bring along, and what they may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.domain.errors import Ds01Error
from ds01.projects import requirements

HASH = "--hash=sha256:" + "ab" * 32


def test_c5_lines_are_joined_and_comments_dropped_as_pip_does() -> None:
    text = (
        f"# top\nsix==1.16.0 \\\n    {HASH} \\\n    {HASH}\n\nnumpy  # arrays\n--index-url https://example.org/simple\n"
    )
    found = [(entry.name, entry.text) for entry in requirements.entries("r.txt", text)]
    assert found == [
        ("six", f"six==1.16.0 {HASH} {HASH}"),
        ("numpy", "numpy"),
        ("", "--index-url https://example.org/simple"),
    ]


def test_c5_included_files_come_along(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "requirements.txt").write_text("-r deep/dev.txt\nsix\n")
    (tmp_path / "deep" / "dev.txt").write_text("-c ../pins.txt\n-r ../requirements.txt\nnumpy\n")
    (tmp_path / "pins.txt").write_text("numpy<3\n")
    found = requirements.gather(str(tmp_path), ["requirements.txt"])
    assert list(found) == ["requirements.txt", "deep/dev.txt", "pins.txt"]
    assert found["pins.txt"] == b"numpy<3\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("six\n\nnumpy=1\n", "requirements.txt:3: "),
        ("six\n-e .\n", "requirements.txt:2: "),
        ("-r ../outside.txt\n", "not in the project folder"),
        ("-r /etc/passwd\n", "not in the project folder"),
        ("-r https://example.org/x.txt\n", "not in the project folder"),
        ("-r missing.txt\n", "There is no file missing.txt"),
    ],
)
def test_what_cannot_work_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    with pytest.raises(Ds01Error) as refused:
        requirements.gather(str(tmp_path), ["requirements.txt"])
    assert said in f"{refused.value.problem.message} {refused.value.problem.reason}"


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    (folder / "real").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("six\n")
    (folder / "requirements.txt").symlink_to("../secret.txt")
    (folder / "out").symlink_to("..")
    for path in ("requirements.txt", "out/secret.txt"):
        with pytest.raises(Ds01Error, match="leads out of the project folder"):
            requirements.gather(str(folder), [path])


def test_files_that_include_each_other_without_end_are_refused(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\n")
    with pytest.raises(Ds01Error, match="include each other"):
        requirements.gather(str(tmp_path), ["0.txt"])
