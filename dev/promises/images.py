"""Images are blueprints: C1 to C6."""

from __future__ import annotations

from dev.promises.lab import Lab, Student, expect


def _latest(lab: Lab, student: Student, project: str) -> str:
    return str(lab.inspect(f"ds01-{student.uid}/{project}:latest")["Id"])


def c1_one_image_backs_many_containers(lab: Lab) -> str:
    """One image backs many containers at the same time."""
    lab.ada.project("thesis", "six>=1.15,<1.17")
    one, two = lab.ada.launches("thesis"), lab.ada.launches("thesis", name="second")
    images = {lab.inspect(found["id"])["Image"] for found in (one, two)}
    expect(one["state"] == two["state"] == "running", f"they are {one['state']} and {two['state']}")
    expect(one["id"] != two["id"], "both names are one container")
    expect(images == {_latest(lab, lab.ada, "thesis")}, "they do not run from the project's one image")
    return "Two containers run from one image at the same time."


def c2_editing_the_blueprint_changes_nothing_until_a_rebuild(lab: Lab) -> str:
    """Editing the Dockerfile or the project's package list changes nothing until a rebuild."""
    folder = lab.ada.project("paper", "six")
    before = _latest(lab, lab.ada, "paper")
    running = lab.ada.launches("paper")
    lab.ada.lists("paper", "six", "tabulate")
    lab.ada.shell(f"echo '# a thought' >> {folder}/Dockerfile")
    expect(_latest(lab, lab.ada, "paper") == before, "the image changed without a rebuild")
    now = lab.ada.container("paper")
    expect((now["id"], now["state"]) == (running["id"], "running"), "the container was touched")
    found = lab.ada.inside("paper", "python -c 'import tabulate' 2>&1 || echo missing")
    expect("missing" in found, "the package is in the running container")
    lab.ada.shell(f"sed -i '/# a thought/d' {folder}/Dockerfile")
    return "The project file and the Dockerfile were edited; image and container are as they were."


def c3_a_rebuild_leaves_containers_on_the_old_image(lab: Lab) -> str:
    """A rebuild leaves existing containers on the old image; DS01 shows them as stale and offers to recreate."""
    lab.ada.project("paper", "six")
    running = lab.ada.launches("paper")
    old = lab.inspect(running["id"])["Image"]
    expect(not running["stale"], "a fresh container counts as stale")
    done = lab.ada.ds01("image", "update", "paper", "--add", "tabulate", "--yes")
    now = lab.ada.container("paper")
    expect(_latest(lab, lab.ada, "paper") != old, "the rebuild made no new image")
    expect((now["id"], now["state"]) == (running["id"], "running"), "the container was recreated without being asked")
    expect(lab.inspect(now["id"])["Image"] == old, "the container moved to another image")
    expect(now["stale"], "ds01 list does not show it as stale")
    expect("--recreate" in done.err + done.out, "nothing offers to recreate it")
    lab.ada.ds01("launch", "paper", "--recreate", "--background", "--yes", "--gpus", "0")
    lab.ada.inside("paper", "python -c 'import tabulate'")
    expect(not lab.ada.container("paper")["stale"], "it is still stale after --recreate")
    return f"After a rebuild the container stayed on its image and is shown as stale: {now['stale']}."


def c4_removing_keeps_what_is_above(lab: Lab) -> str:
    """Removing a container keeps its image; removing an image keeps the Dockerfile and every workspace file."""
    folder = lab.ada.project("paper", "six")
    lab.ada.launches("paper")
    lab.ada.inside("paper", "echo draft > /workspace/draft.txt")
    before = sorted(path.name for path in folder.iterdir())
    lab.ada.ds01("retire", "paper", "--yes")
    _latest(lab, lab.ada, "paper")
    lab.ada.ds01("image", "delete", "paper", "--yes")
    found = lab.engine("images", "-q", f"ds01-{lab.ada.uid}/paper")
    expect(not found, "the image is still there")
    expect((folder / "Dockerfile").exists(), "the Dockerfile went with the image")
    expect((folder / "draft.txt").read_text() == "draft\n", "a workspace file went with the image")
    expect(sorted(path.name for path in folder.iterdir()) == before, "the workspace is not as it was")
    return "Container, then image removed: the Dockerfile and every workspace file are there."


def c5_listed_packages_are_in_every_container(lab: Lab) -> str:
    """A package in the project file is in every new container; the version constraint is honoured."""
    folder = lab.ada.project("paper")
    lab.ada.shell(f"printf 'idna<3.5\\n' > {folder}/more.txt")
    lab.ada.project(
        "paper", "six>=1.15,<1.17", "requests[socks]>=2.28,<3", 'colorama; sys_platform == "win32"', "-r more.txt"
    )
    lab.ada.launches("paper")
    lines = lab.ada.inside("paper", "pip list --format=freeze").splitlines()
    have = {name.lower(): version for name, _, version in (line.partition("==") for line in lines)}
    expect(have.get("six") == "1.16.0", f"six>=1.15,<1.17 gave {have.get('six')}")
    expect(have.get("requests", "").startswith("2."), f"requests>=2.28,<3 gave {have.get('requests')}")
    expect("pysocks" in have, "the extra requests[socks] brought no PySocks")
    expect("colorama" not in have, "a marker for another system was not honoured")
    expect(have.get("idna", "") < "3.5", f"idna<3.5 from -r more.txt gave {have.get('idna')}")
    return f"six {have['six']}, requests {have['requests']} with its extra, idna {have['idna']} as constrained."


def c6_a_rebuild_with_no_change_is_quick(lab: Lab) -> str:
    """A rebuild with no change is a no-op in under 2 s."""
    lab.ada.project("thesis", "six>=1.15,<1.17")
    before = _latest(lab, lab.ada, "thesis")
    done = lab.ada.ds01("image", "update", "thesis", "--rebuild", "--yes")
    expect(_latest(lab, lab.ada, "thesis") == before, "it made another image")
    expect(done.seconds < 2, f"it took {done.seconds:.1f} s")
    return f"Rebuilding an unchanged project took {done.seconds:.2f} s and kept the image."
