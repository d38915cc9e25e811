"""The container is the Python environment: P1 to P3."""

from __future__ import annotations

from dev.promises.lab import Lab, expect

NOTEBOOK = ("six>=1.15,<1.17", "ipython")


def p1_python_and_pip_work_without_activation(lab: Lab) -> str:
    """python, pip and %pip work with no activation; pip install works without root and vanishes on retire."""
    lab.ada.project("notebook", *NOTEBOOK)
    first = lab.ada.launches("notebook")
    for script in ("command -v python", "bash -lc 'command -v python'", "sh -c 'command -v pip'"):
        found = lab.ada.inside("notebook", script)
        expect(found.startswith("/opt/ds01/env/"), f"{script} finds {found!r}")
    plain = lab.ada.docker("exec", first["id"], "python", "-c", "import six; print(six.__version__)")
    expect(plain == "1.16.0", f"through plain docker exec, python says {plain!r}")
    expect(lab.ada.inside("notebook", "id -u") == str(lab.ada.uid), "the shell is not hers")
    lab.ada.inside("notebook", "pip install -q tabulate && python -c 'import tabulate'")
    lab.ada.inside("notebook", "python -m IPython -c '%pip install -q colorama' && python -c 'import colorama'")
    lab.ada.ds01("retire", "notebook", "--yes")
    lab.ada.launches("notebook")
    gone = lab.ada.inside("notebook", "python -c 'import tabulate' 2>/dev/null || echo gone")
    expect(gone == "gone", "a package installed by hand came back after retire")
    return "python, pip and %pip work as they are; what was installed by hand went with the container."


def p2_retire_offers_to_keep_packages(lab: Lab) -> str:
    """retire finds packages added or upgraded by hand and offers to write them into the project file."""
    folder = lab.ada.project("paper", "six>=1.15,<1.17")
    image = lab.inspect(f"ds01-{lab.ada.uid}/paper:latest")["Id"]
    lab.ada.launches("paper")
    lab.ada.inside("paper", "pip install -q tabulate 'six>=1.17'")
    found = {package["name"].lower(): package for package in lab.ada.data("retire", "paper", "--dry-run")["packages"]}
    expect("tabulate" in found, f"it found {sorted(found)}")
    expect(found.get("six", {}).get("before") == "1.16.0", "it did not see that six was upgraded")
    lab.ada.ds01("retire", "paper", "--keep-packages", "--yes")
    text = (folder / "ds01.toml").read_text()
    expect("tabulate" in text, "the package is not in the project file")
    expect(lab.inspect(f"ds01-{lab.ada.uid}/paper:latest")["Id"] == image, "the image was changed")
    lab.ada.launches("paper")
    lab.ada.inside("paper", "python -c 'import tabulate'")
    return f"retire found tabulate {found['tabulate']['version']} and wrote it into ds01.toml; no image was committed."


def p3_sharing_the_folder_shares_the_environment(lab: Lab) -> str:
    """The environment is shared by sharing the project folder: a teammate's launch gives the same packages."""
    folder = lab.ada.project("shared", "six==1.16.0", "requests>=2.28,<3")
    lab.ada.launches("shared")
    copy = lab.ben.workspace("shared")
    if not copy.exists():
        lab.ben.shell(f"mkdir -p {copy}")
    lab.ben.person.run("tee", str(copy / "ds01.toml"), given=(folder / "ds01.toml").read_text())
    lab.ben.launches("shared")
    hers, his = (student.inside("shared", "pip freeze | sort") for student in (lab.ada, lab.ben))
    expect(hers == his, f"they have {hers.split()} and {his.split()}")
    return f"A teammate's launch of the same project file has the same {len(hers.split())} packages."
