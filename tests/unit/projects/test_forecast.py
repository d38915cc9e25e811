"""What uv says, read: real answers of uv 0.13 to real conflicts."""

from __future__ import annotations

import pytest

from ds01.projects import forecast, packages

IDNA = """\
idna==2.0
ds01-resolves
Using Python 3.11.2 environment at: /tmp/ds01-trial/env
error: No solution found when resolving dependencies
  cause: Because requests==2.31.0 depends on idna>=2.5,<4 and you require requests==2.31.0, we can conclude that you \
require idna>=2.5,<4.
         And because you require idna>=4, we can conclude that your requirements are unsatisfiable.
ds01-refused"""
KEPT = """\
idna==2.0
ds01-resolves
error: No solution found when resolving dependencies
  cause: Because requests==2.31.0 depends on idna>=2.5,<4 and idna==2.0, we can conclude that requests==2.31.0 cannot \
be used.
         And because you require requests==2.31.0, we can conclude that your requirements are unsatisfiable.
ds01-refused"""
PANDAS = """\
ds01-resolves
error: No solution found when resolving dependencies
  cause: Because pandas>=3.0.0rc0,<=3.0.0rc1 depends on numpy>=1.26.0 and all of:
             pandas>=3.0.0rc2,<=3.0.3
             pandas>=3.0.5,<=3.0.6
         depend on numpy{python_full_version < '3.14'}>=1.26.0, we can conclude that all of:
             pandas>=3.0.0rc0,<=3.0.3
         depend on numpy>=1.26.0.
         And because pandas==3.0.4 was yanked (reason: Reported segfaults), we can conclude that pandas>=2.0.0 depends \
on numpy>=1.21.0.
         And because you require pandas>=2 and numpy<1.20, we can conclude that your requirements are unsatisfiable.
ds01-refused"""
OTHERS = """\
ds01-resolves
  | No solution found when resolving dependencies:
  |> Because only ds01-needy==1.0 is available and ds01-needy==1.0 depends
      on ds01-probe>=2, we can conclude that all versions of ds01-needy
      depend on ds01-probe>=2.
      And because ds01-older==1.0 depends on ds01-probe<2 and you require
      ds01-needy, we can conclude that ds01-older==1.0 cannot be used.
      And because you require ds01-older==1.0, we can conclude that your
      requirements are unsatisfiable.
ds01-refused"""
ONLY = """\
ds01-resolves
error: No solution found when resolving dependencies
  cause: Because only urllib3<=2.8.0 is available and you require urllib3>=99, we can conclude that your requirements \
are unsatisfiable.
ds01-refused"""
NO_VERSION = """\
ds01-resolves
error: No solution found when resolving dependencies
  cause: Because there is no version of scipy==1.99 and you require scipy==1.99, we can conclude that your \
requirements are unsatisfiable.
ds01-refused"""
MISSING = """\
ds01-resolves
error: No solution found when resolving dependencies
  cause: Because numppy was not found in the package registry and you require numppy, we can conclude that your \
requirements are unsatisfiable.
ds01-refused"""
PYTHON = """\
ds01-resolves
error: No solution found when resolving dependencies
  cause: Because the current Python version (3.11.2) does not satisfy all of:
             Python>=3.12,<3.14.1
             Python>3.14.1
         and you require networkx{python_full_version < '4'}==3.7rc0, we can conclude that your requirements are \
unsatisfiable.
ds01-refused"""
WHEEL = """\
ds01-resolves
error: No solution found when resolving dependencies
  cause: Because ds01-future==1.0 requires Python >=3.90 and only ds01-future==1.0 is available, we can conclude that \
all versions of ds01-future cannot be used.
         And because you require ds01-future, we can conclude that your requirements are unsatisfiable.
ds01-refused"""
COMPILED = """\
ds01-resolves
error: No solution found when resolving dependencies
  cause: Because all versions of flash-attn have no usable wheels and you require flash-attn, we can conclude that \
your requirements are unsatisfiable.
hint: Wheels are required for `flash-attn` because building from source is disabled for all packages
ds01-refused"""
UNREACHABLE = """\
ds01-resolves
error: Request failed after 3 retries in 5.4s
  cause: Failed to fetch: http://127.0.0.1:9/simple/six/
  cause: Connection refused (os error 111)
ds01-refused"""


@pytest.mark.parametrize(
    ("said", "asked", "cause", "hint"),
    [
        (IDNA, ["requests==2.31.0", "idna>=4"], "requests==2.31.0 needs idna>=2.5,<4, and you ask for idna>=4",
         'ds01 image update thesis --add "idna>=2.5,<4"'),
        (KEPT, ["requests==2.31.0"], "requests==2.31.0 needs idna>=2.5,<4, and the base brings idna==2.0",
         'replace idna on purpose: ds01 image update thesis --add "idna>=2.5,<4"'),
        (PANDAS, ["pandas>=2", "numpy<1.20"], "pandas>=2.0.0 needs numpy>=1.21.0, and you ask for numpy<1.20",
         '--add "numpy>=1.21.0"'),
        (OTHERS, ["ds01-needy", "ds01-older==1.0"],
         "ds01-needy==1.0 needs ds01-probe>=2, and ds01-older==1.0 needs ds01-probe<2", "Loosen 'ds01-older==1.0'"),
        (ONLY, ["urllib3>=99"], "no version of urllib3 fits 'urllib3>=99'; there is only urllib3<=2.8.0", "<=2.8.0"),
        (NO_VERSION, ["scipy==1.99"], "there is no version of scipy that fits 'scipy==1.99'", "pip index versions"),
        (MISSING, ["numppy"], "there is no Python package 'numppy'", "Did you mean 'numpy'?"),
        (PYTHON, ["networkx==3.7rc0"], "networkx==3.7rc0 needs Python >=3.12,<3.14.1, and the base has 3.11.2",
         "another base"),
        (WHEEL, ["ds01-future"], "ds01-future==1.0 needs Python >=3.90, and the base has another one", "another base"),
    ],
)  # fmt: skip
def test_c5_a_conflict_names_the_two_that_disagree_and_what_mends_it(
    said: str, asked: list[str], cause: str, hint: str
) -> None:
    found = forecast.refusal(said.splitlines(), packages.entries(asked), "thesis")
    assert found is not None
    assert cause in found.problem.message
    assert hint in found.problem.hint


@pytest.mark.parametrize(("said", "word"), [(COMPILED, "flash-attn"), (UNREACHABLE, "refused"), ("", "nothing")])
def test_what_is_no_certain_conflict_is_left_to_the_build(said: str, word: str) -> None:
    assert forecast.refusal(said.splitlines(), packages.entries(["flash-attn"]), "thesis") is None
    assert word in forecast.last_word(said.splitlines())
    assert not forecast.installs([*said.splitlines(), forecast.REFUSED])


def test_what_would_be_installed_is_listed() -> None:
    said = (
        "ds01-resolves\nResolved 2 packages in 3ms\nWould install 2 packages\n - six==1.15.0\n + six==1.17.0\n + x==1"
    )
    assert forecast.installs(said.splitlines()) == ("six==1.17.0", "x==1")
    assert forecast.installs(["ds01-resolves", "Would make no changes"]) == ()
