"""The recipe: what is in the Dockerfile, in which order, and when the hash moves."""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.errors import NEEDS_ANSWER, Ds01Error
from ds01.domain.project import ImageRecipe
from ds01.projects import dockerfile, file, prepare, recipe
from ds01.wire.images import BaseView, BuildSettings

MINIMAL = BaseView(name="minimal", reference="ds01/minimal:latest", description="Debian and Python")
TORCH = BaseView(name="pytorch", reference="pytorch/pytorch:2.4.0", description="PyTorch")
SETTINGS = BuildSettings(bases=(MINIMAL, TORCH))
IMAGE = ImageRecipe(python=("pandas>=2,<3", "six; python_version < '4'"), apt=("less", "git-lfs"))


def made(image: ImageRecipe = IMAGE, settings: BuildSettings = SETTINGS, **files: str) -> recipe.Recipe:
    return recipe.generated(image, settings, {name + ".txt": text.encode() for name, text in files.items()})


def test_layers_go_from_what_changes_seldom_to_what_changes_often() -> None:
    text = made(settings=dataclasses.replace(SETTINGS, ca_pem="PEM", environment={"A": "1"})).dockerfile
    order = [
        "FROM ds01/minimal:latest", "ca.pem", "ENV PATH", "apt-get install", "ARG DS01_UID", "/etc/passwd",
        "USER ${DS01_UID}:${DS01_GID}", "python3 -m venv", "pip install", "ipykernel install", "WORKDIR /workspace",
    ]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_a_base_is_built_on_by_the_digest_its_registry_gave_it() -> None:
    """Another digest is another version of the base, and no change of the project."""
    image = dataclasses.replace(IMAGE, base="pytorch")
    texts, specs = [], set()
    for digest in ("", "pytorch/pytorch@sha256:" + "a" * 64, "pytorch/pytorch@sha256:" + "b" * 64):
        base = dataclasses.replace(TORCH, pinned=digest)
        found = made(image, dataclasses.replace(SETTINGS, bases=(MINIMAL, base)))
        texts.append(found.dockerfile)
        specs.add(found.spec)
        assert found.base == TORCH.reference
        assert f"\nFROM {digest or TORCH.reference}\n" in found.dockerfile
        assert dockerfile.is_unedited(found.dockerfile)
    assert len(specs) == 1
    assert len(set(texts)) == 3


KIT = dataclasses.replace(SETTINGS, buildkit=True)


def sent(image: ImageRecipe = IMAGE, base: str = "sha256:1", settings: BuildSettings = KIT) -> str:
    return dockerfile.mounted(made(image, settings).steps, base, 1722830498, 5)


def test_the_recipe_is_the_same_whoever_builds() -> None:
    one, other = made(), made(settings=KIT)
    assert (one.dockerfile, one.spec, one.titles) == (other.dockerfile, other.spec, other.titles)
    assert (one.buildkit, other.buildkit) == (False, True)
    assert "--mount" not in one.dockerfile


def test_what_is_sent_to_buildkit_differs_by_pips_cache_alone() -> None:
    bare = [step.text for step in made().steps]
    found = sent()
    install = next(line for line in found.split("\n") if line.startswith("RUN --mount"))
    mount = install.split()[1]
    assert mount.endswith(",target=/mnt,uid=1722830498,gid=5")
    assert found.count("--mount=") == 1
    plain = found.replace(f"{mount} ", "").replace("--cache-dir /mnt", "--no-cache-dir")
    assert plain == "".join(f"{text}\n" for text in bare)
    assert "--mount" not in sent(dataclasses.replace(IMAGE, python=()))


def test_a_cache_is_for_one_base_its_debian_packages_and_its_variables() -> None:
    def cache(*args: Any, **kwargs: Any) -> str:
        return sent(*args, **kwargs).partition(",id=")[2].partition(",")[0]

    assert cache(dataclasses.replace(IMAGE, python=("numpy",))) == cache()
    assert cache(dataclasses.replace(IMAGE, requirements="r.txt")) == cache()
    others = {
        cache(base="sha256:2"),
        cache(dataclasses.replace(IMAGE, apt=("less",))),
        cache(settings=dataclasses.replace(KIT, environment={"CFLAGS": "-O3"})),
        cache(),
    }
    assert len(others) == 4


def test_buildkit_counts_the_steps_that_make_a_layer() -> None:
    titles = dockerfile.counted(made(settings=dataclasses.replace(KIT, ca_pem="PEM"), r="six").steps)
    assert titles == (
        "base ds01/minimal:latest", "", "the server's certificates", "Debian packages", "your account",
        "the Python environment", "", "Python packages", "the kernel for notebooks", "",
    )  # fmt: skip


def test_adding_a_package_changes_one_instruction() -> None:
    more = dataclasses.replace(IMAGE, python=(*IMAGE.python, "numpy"))
    one, other = (made(image).dockerfile.split("\n\n") for image in (IMAGE, more))
    changed = [new for old, new in zip(one, other, strict=True) if old != new]
    assert [text.splitlines()[0] for text in changed[1:]] == ["# Python packages"]


def test_every_instruction_has_its_title() -> None:
    found = made()
    assert found.dockerfile.count("\n# ") - 3 == len([title for title in found.titles if title])
    assert "Python packages" in found.titles


@pytest.mark.parametrize(
    "change",
    [
        {"base": "pytorch"},
        {"python": ("pandas>=2,<3",)},
        {"python": ("pandas>=2.1,<3", "six; python_version < '4'")},
        {"apt": ("less",)},
        {"apt": ()},
    ],
)
def test_c2_every_change_of_the_recipe_moves_the_hash(change: dict[str, Any]) -> None:
    assert made(dataclasses.replace(IMAGE, **change)).spec != made().spec


def test_c2_the_content_of_requirements_files_is_part_of_the_hash() -> None:
    image = dataclasses.replace(IMAGE, requirements="requirements.txt")
    assert made(image, requirements="numpy\n").spec != made(image, requirements="numpy<3\n").spec
    assert made(image, requirements="numpy\n").spec == made(image, requirements="numpy\n").spec


def test_what_the_server_adds_is_part_of_the_hash() -> None:
    variants: list[dict[str, Any]] = [
        {},
        {"ca_pem": "A"},
        {"ca_pem": "B"},
        {"environment": {"A": "1"}},
        {"environment": {"A": "2"}},
    ]
    assert len({made(settings=dataclasses.replace(SETTINGS, **v)).spec for v in variants}) == 5


def test_the_hash_of_the_certificates_is_enough_to_know_whether_an_image_is_behind() -> None:
    digest = hashlib.sha256(b"PEM").hexdigest()
    whole = dataclasses.replace(SETTINGS, ca_pem="PEM")
    for settings in (dataclasses.replace(whole, ca_sha256=digest), dataclasses.replace(SETTINGS, ca_sha256=digest)):
        assert made(settings=settings).spec == made(settings=whole).spec
        assert made(settings=settings).dockerfile == made(settings=whole).dockerfile


def test_words_around_the_instructions_are_not_part_of_the_hash() -> None:
    spec = made().spec
    assert f"# ds01-spec: {spec}\n" in made().dockerfile
    assert made(dataclasses.replace(IMAGE, apt=("git-lfs", "less"))).spec == spec


def test_the_base_keeps_its_torch_unless_the_project_chooses_a_version() -> None:
    free = made(ImageRecipe(base="pytorch", python=("transformers", "torch"))).dockerfile
    assert "-c /opt/ds01/base.txt" in free
    chosen = made(ImageRecipe(base="pytorch", python=("transformers>=4", "torch==2.5.1"))).dockerfile
    assert "/opt/ds01/env/bin/python - '/opt/ds01/base.txt' 'torch==2.5.1' 'transformers>=4' > /opt/ds01/kept" in chosen
    assert "-c /opt/ds01/kept.txt" in chosen


def test_an_unknown_base_is_answered_with_the_nearest() -> None:
    with pytest.raises(Ds01Error) as refused:
        made(ImageRecipe(base="pytorhc"))
    assert "Did you mean 'pytorch'?" in refused.value.problem.reason
    assert "FROM python:3.12-slim\n" in made(ImageRecipe(base="python:3.12-slim")).dockerfile


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\r\x00"), max_size=30))
def test_any_line_reaches_pip_as_it_is(line: str) -> None:
    assert shlex.split(dockerfile.shell_word(line)) == [line]


def test_values_of_the_environment_cannot_leave_their_quotes() -> None:
    text = made(settings=dataclasses.replace(SETTINGS, environment={"A": 'x" $B \\'})).dockerfile
    assert 'A="x\\" \\$B \\\\"' in text


def test_a_generated_file_is_known_again_and_so_is_an_edit() -> None:
    text = made().dockerfile
    assert dockerfile.is_unedited(text)
    for edited in (
        text + "RUN id\n",
        text.replace("less", "more"),
        "# mine\n" + text,
        text.replace("Made by", "made by"),
    ):
        assert not dockerfile.is_unedited(edited)
        assert dockerfile.is_generated(edited)
    assert not dockerfile.is_generated("FROM x\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "ds01.toml").write_text('[image]\npython = ["six"]\n')
    return tmp_path / "thesis"


def prepared(folder: Path, settings: BuildSettings = SETTINGS) -> recipe.Recipe:
    return prepare.recipe(file.load(str(folder)), settings)


def test_the_dockerfile_follows_the_project_file_as_long_as_nobody_edits_it(folder: Path) -> None:
    project = file.load(str(folder))
    assert prepare.write(project, prepared(folder))
    assert not prepare.write(project, prepared(folder))
    (folder / "ds01.toml").write_text('[image]\npython = ["six", "numpy"]\n')
    assert prepare.difference(project, prepared(folder)) == ""
    assert prepare.write(project, prepared(folder))
    assert "'numpy'" in (folder / "Dockerfile").read_text()


def test_an_edited_dockerfile_is_shown_and_never_overwritten_unasked(folder: Path) -> None:
    project = file.load(str(folder))
    prepare.write(project, prepared(folder))
    edited = (folder / "Dockerfile").read_text() + "RUN id\n"
    (folder / "Dockerfile").write_text(edited)
    assert "-RUN id" in prepare.difference(project, prepared(folder))
    with pytest.raises(Ds01Error) as refused:
        prepare.write(project, prepared(folder))
    assert refused.value.kind is NEEDS_ANSWER
    assert (folder / "Dockerfile").read_text() == edited
    assert prepare.write(project, prepared(folder), overwrite=True)
    assert dockerfile.is_unedited((folder / "Dockerfile").read_text())


def test_a_dockerfile_of_the_users_own_is_built_as_it_is(folder: Path) -> None:
    (folder / "ds01.toml").write_text('[image]\ndockerfile = "docker/My.Dockerfile"\n')
    (folder / "docker").mkdir()
    (folder / "docker" / "My.Dockerfile").write_text("FROM scratch\n")
    found = prepared(folder)
    assert (found.dockerfile, found.path, found.context) == ("FROM scratch\n", "docker/My.Dockerfile", None)
    assert not prepare.write(file.load(str(folder)), found)
    (folder / ".dockerignore").write_text("data\n")
    assert prepared(folder).spec != found.spec


def test_taking_over_the_generated_dockerfile_begins_with_the_first_edit(folder: Path) -> None:
    prepare.write(file.load(str(folder)), prepared(folder))
    (folder / "ds01.toml").write_text('[image]\npython = ["six"]\ndockerfile = "Dockerfile"\n')
    assert prepared(folder).generated
    (folder / "Dockerfile").write_text((folder / "Dockerfile").read_text() + "RUN id\n")
    assert not prepared(folder).generated


def test_the_servers_certificates_lie_beside_the_dockerfile(folder: Path) -> None:
    settings = dataclasses.replace(SETTINGS, ca_pem="PEM\n")
    prepare.write(file.load(str(folder)), prepared(folder, settings))
    assert (folder / ".ds01" / "ca.pem").read_text() == "PEM\n"


def test_a_missing_or_strange_dockerfile_is_a_sentence(folder: Path) -> None:
    (folder / "ds01.toml").write_text('[image]\ndockerfile = "Nope"\n')
    with pytest.raises(Ds01Error, match="cannot be read: no such file"):
        prepared(folder)
