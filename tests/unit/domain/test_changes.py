"""What retire finds in an engine diff."""

import pytest

from ds01.domain import changes
from ds01.domain.changes import Change, Findings, Package, findings

ENV = "/opt/ds01/env/lib/python3.11/site-packages"


def found(*lines: str, mounts: tuple[str, ...] = ()) -> Findings:
    changes = [Change(kind=line[0], path=line[2:]) for line in lines]
    return findings(changes, mounts)


def test_p2_a_package_installed_by_hand_is_found_with_its_version() -> None:
    seen = found(
        "C /opt", "C /opt/ds01", "C /opt/ds01/env", f"A {ENV}/six.py", f"A {ENV}/six-1.16.0.dist-info",
        f"A {ENV}/six-1.16.0.dist-info/REQUESTED", "A /opt/ds01/env/bin/six-tool",
    )  # fmt: skip
    assert seen.packages == (Package(name="six", version="1.16.0", source="pip"),)
    assert seen.files == ()


def test_p2_an_upgrade_names_the_version_before() -> None:
    seen = found(
        f"D {ENV}/scikit_learn-1.2.0.dist-info",
        f"A {ENV}/scikit_learn-1.3.0.dist-info",
        f"A {ENV}/scikit_learn-1.3.0.dist-info/REQUESTED",
    )
    assert seen.packages == (Package(name="scikit-learn", version="1.3.0", source="pip", before="1.2.0"),)


def test_p2_dependencies_and_local_installs_are_told_apart() -> None:
    seen = found(
        f"A {ENV}/requests-2.32.0.dist-info/REQUESTED",
        f"A {ENV}/idna-3.7.dist-info/METADATA",
        f"A {ENV}/mine-0.1.dist-info/REQUESTED",
        f"A {ENV}/mine-0.1.dist-info/direct_url.json",
    )
    by_name = {package.name: package for package in seen.packages}
    assert not by_name["idna"].requested
    assert by_name["requests"].requested
    assert by_name["mine"].direct


def test_p2_conda_and_apt_packages_are_found_once() -> None:
    seen = found(
        "A /opt/conda/conda-meta/scikit-learn-1.4.0-py311h_0.json",
        "A /opt/conda/lib/python3.11/site-packages/scikit_learn-1.4.0.dist-info/METADATA",
        "A /var/lib/dpkg/info/libfoo2:amd64.list",
        "A /usr/lib/libfoo.so.2",
    )
    assert [(p.name, p.source) for p in seen.packages] == [("libfoo2", "apt"), ("scikit-learn", "conda")]
    assert seen.files == ()


def test_the_installer_itself_is_no_finding() -> None:
    assert found(f"A {ENV}/pip-25.0.dist-info/REQUESTED").packages == ()


def test_w2_files_outside_the_workspace_are_listed_without_folders_caches_and_mounts() -> None:
    seen = found(
        "C /home", "C /home/ada", "A /home/ada/model.pt", "A /home/ada/.cache", "A /home/ada/.cache/x",
        "A /home/ada/.bash_history", "A /tmp/results.csv", "A /tmp/pip-install-1", "C /etc", "C /etc/hosts",
        "A /workspace", "A /data", "C /usr/local/bin", "A /usr/local/bin/nvidia-smi", "D /etc/motd",
        "A /home/ada/__pycache__/a.pyc", "C /etc/vim.conf",
        mounts=("/workspace", "/data", "/usr/local/bin/nvidia-smi"),
    )  # fmt: skip
    assert seen.files == ("/etc/vim.conf", "/home/ada/model.pt", "/tmp/results.csv")


def test_w2_a_file_beside_an_environment_is_not_hidden_by_it() -> None:
    seen = found(f"A {ENV}/six-1.0.dist-info/REQUESTED", "A /opt/ds01/notes.txt", "A /opt/ds01/env/notes.txt")
    assert seen.files == ("/opt/ds01/env/notes.txt", "/opt/ds01/notes.txt")


def test_a_folder_something_was_in_for_a_while_is_no_file() -> None:
    assert found("C /tmp", "A /tmp/pip-build-x", "C /home").files == ()


def test_p2_condas_records_are_read_however_they_are_written() -> None:
    """A path as an attacker writes it: where its parts could be divided in many ways, none is tried twice."""
    seen = found(
        "A /opt/conda/conda-meta/numpy-1.26.4-py311h64a7726_0.json",
        "A /opt/conda/conda-meta/python-dateutil-2.9.0-pyhd8ed1ab_0.json",
        "A /opt/conda/conda-meta/history", "A /opt/conda/conda-meta/-1-2.json", "A /opt/conda/lib/libgfortran.so",
        *(f"A /x{'/conda-meta' * 190}/{number}{'-a' * 900}" for number in range(1000)),
    )  # fmt: skip
    assert [(package.name, package.version) for package in seen.packages] == [
        ("numpy", "1.26.4"), ("python-dateutil", "2.9.0"),
    ]  # fmt: skip
    assert len(seen.files) == 1000


def test_p2_many_environments_are_as_quick_as_one() -> None:
    """Ten thousand roots: each path asks for its own folders, not for all roots."""
    lines = [
        f"A /e/{number}/lib/python3.11/site-packages/{name}" for number in range(10_000)
        for name in ("six-1.16.0.dist-info/REQUESTED", "six.py")
    ]  # fmt: skip
    seen = found(*lines, "A /e/notes.txt")
    assert seen.files == ("/e/notes.txt",)
    assert [package.name for package in seen.packages] == ["six"]


def test_p2_what_is_beyond_the_bound_is_a_file_and_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LOOKED_AT", 2)
    seen = found("A /root/a", "A /root/.cache/pip/b", "A /root/.cache/pip/c", "D /root/d")
    assert seen.files == ("/root/.cache/pip/c", "/root/a")
