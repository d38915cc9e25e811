"""Why a build failed, from what it printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.domain.errors import BUILD_FAILED, DISK_FULL
from ds01.projects.diagnosis import diagnose

LOGS = Path(__file__).parent / "logs"
FAILED = "The command '/bin/sh -c pip install …' returned a non-zero code: 1"
CONFLICT = """\
ERROR: Cannot install numpy>=2 and pandas==1.5.0 because these package versions have conflicting dependencies.

The conflict is caused by:
    The user requested numpy>=2
    pandas 1.5.0 depends on numpy<2

To fix this you could try to:
1. loosen the range of package versions you've specified
"""
BASE = CONFLICT.replace("pandas 1.5.0 depends on numpy<2", "The user requested (constraint) numpy==1.26.4")
NONE = "ERROR: Could not find a version that satisfies the requirement {} (from versions: {})"
RETRY = (
    "WARNING: Retrying (Retry(total={}, connect=None)) after connection broken by "
    "'NewConnectionError('<x>: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/six/"
)


@pytest.mark.parametrize(
    ("printed", "cause", "hint"),
    [
        (NONE.format("numppy", "none"), "there is no Python package 'numppy'", "Did you mean 'numpy'?"),
        (NONE.format("zzzzqq>=1", "none"), "there is no Python package 'zzzzqq'", "Check its spelling"),
        (NONE.format("six>=99", "1.15.0, 1.16.0"), "the newest there are: 1.15.0, 1.16.0", "six==1.16.0"),
        (CONFLICT, "pandas 1.5.0 depends on numpy<2", "Loosen one"),
        (BASE, "the base brings numpy==1.26.4", "on purpose"),
        (RETRY.format(0) + "\n" + NONE.format("six", "none"), "no network", "Try again later"),
        (RETRY.format(4) + "\n" + NONE.format("six", "none"), "there is no Python package 'six'", "spelling"),
        ("E: Unable to locate package gti", "there is no Debian package 'gti'", "apt"),
        ("Temporary failure resolving 'deb.debian.org'\nE: Unable to locate package git", "no network", "later"),
        ("E: Version '1' for 'less' was not found", "Debian has no version 1 of 'less'", ""),
        ("/bin/sh: 1: apt-get: not found", "no Debian", "another base"),
        ("ds01: this base has no python3", "the base has no Python", "minimal"),
        ("Could not fetch URL https://x: SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed')",
         "does not trust", "images.ca"),
        ("error: subprocess-exited-with-error\n unable to execute 'gcc': No such file",
         "no ready-made wheel", "build-essential"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
         "does not have the hash", "--hash"),
        ("ERROR: In --require-hashes mode, all requirements must have their versions pinned with ==.",
         "with hashes", "complete"),
        ("ERROR: Package 'x' requires a different Python: 3.11.2 not in '>=3.12'",
         "x needs Python >=3.12", "another base"),
        ("something unheard of\nfatal: it broke", "fatal: it broke", "Read the lines above"),
        ("only talk", "only talk", "Read the lines above"),
    ],
)  # fmt: skip
def test_the_likely_cause_is_told_with_what_helps(printed: str, cause: str, hint: str) -> None:
    found = diagnose(printed.splitlines(), FAILED)
    assert cause in found.cause
    assert hint in found.hint
    assert found.kind is BUILD_FAILED


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("pull access denied for nope/nope, repository does not exist", "no such base image"),
        ("manifest for python:9.9 not found: manifest unknown", "no such base image"),
        ("Get https://registry-1.docker.io/v2/: dial tcp: lookup registry-1.docker.io: no such host",
         "registry cannot be reached"),
        ("COPY failed: file not found in build context or excluded by .dockerignore: stat src/x: file does not exist",
         "copies a file that was not sent: src/x"),
        ("dockerfile parse error line 3: unknown instruction: FORM", "line 3: unknown instruction: FORM"),
        ("The command '/bin/sh -c x' returned a non-zero code: 137", "out of memory"),
    ],
)  # fmt: skip
def test_what_the_engine_says_is_understood_too(error: str, cause: str) -> None:
    assert cause in diagnose([], error).cause


def test_a_full_disk_is_a_full_disk() -> None:
    found = diagnose(["OSError: [Errno 28] No space left on device"], FAILED)
    assert found.kind is DISK_FULL


@pytest.mark.parametrize(
    ("log", "cause", "hint"),
    [
        ("no_such_package", "there is no Python package 'numppyy'", "numpy"),
        ("no_network", "the package index cannot be reached", "Try again later"),
        ("disk_full", "the disk is full", "Remove images"),
        ("no_wheel", "a package is compiled and needs 'portaudio.h'", "--add-apt"),
        ("needs_torch_first", "a package asks for 'torch' while it is built", "ready-made wheel"),
        ("no_cuda_compiler", "the base has no CUDA compiler", "-devel"),
        ("cuda_mismatch", "compiled with CUDA 12.2, and the PyTorch of the base is made for CUDA 11.8", "image bases"),
    ],
)
def test_real_logs_of_failed_builds_are_understood(log: str, cause: str, hint: str) -> None:
    """What pip printed when it failed so, on a real machine; PyTorch's CUDA version was set by hand in one of them."""
    lines = (LOGS / f"{log}.log").read_text().splitlines()
    found = diagnose(lines, FAILED)
    assert cause in found.cause
    assert hint in found.hint


def test_the_cuda_of_a_base_is_told_in_the_words_of_other_versions_too() -> None:
    said = (
        "RuntimeError: The detected CUDA version (12.2) mismatches the version that was used to compile\n"
        "PyTorch (11.8). Please make sure to use the same CUDA versions."
    )
    assert "compiled with CUDA 12.2" in diagnose(said.splitlines(), FAILED).cause
    assert "has no git" in diagnose(["ERROR: Cannot find command 'git' - do you have 'git' installed"], FAILED).cause
