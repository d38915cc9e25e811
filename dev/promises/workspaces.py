"""Workspaces are permanent: W1 to W5."""

from __future__ import annotations

import stat
from pathlib import Path

from dev.promises.lab import Lab, Student, expect

CACHES = ("HF_HOME", "TORCH_HOME", "PIP_CACHE_DIR", "UV_CACHE_DIR", "XDG_CACHE_HOME")
DIRECTORY_LOGIN, DIRECTORY_UID = "h.baker@lab.lan", 1722830498


def w1_files_survive_everything(lab: Lab) -> str:
    """Files in /workspace survive exit, stop, retire, image removal, rebuild, engine restart and kill -9 of ds01d."""
    folder = lab.ada.project("thesis", "six>=1.15,<1.17")
    lab.ada.launches("thesis")
    lab.ada.inside("thesis", "echo precious > /workspace/results.csv")

    def there(after: str) -> None:
        file = folder / "results.csv"
        expect(file.exists() and file.read_text() == "precious\n", f"the file was lost after {after}")

    lab.ada.inside("thesis", "exit 0")
    there("exit")
    lab.ada.ds01("stop", "thesis")
    there("stop")
    lab.ada.ds01("start", "thesis")
    lab.kill_ds01d()
    there("kill -9 of ds01d")
    expect(lab.ada.inside("thesis", "cat /workspace/results.csv") == "precious", "the container lost it with ds01d")
    if lab.stack.engine_program:
        lab.restart_engine()
        there("a restart of the engine")
        lab.ada.launches("thesis")
        expect(lab.ada.inside("thesis", "cat /workspace/results.csv") == "precious", "the container came back without")
    lab.ada.ds01("retire", "thesis", "--yes")
    there("retire")
    lab.ada.ds01("image", "delete", "thesis", "--yes")
    there("removal of the image")
    lab.ada.ds01("image", "create", "thesis")
    there("a rebuild")
    lab.ada.launches("thesis")
    expect(lab.ada.inside("thesis", "cat /workspace/results.csv") == "precious", "the new container does not show it")
    return "A file outlived exit, stop, kill -9 of ds01d, an engine restart, retire, the image, and a rebuild."


def w2_files_outside_are_listed_then_gone(lab: Lab) -> str:
    """Files outside /workspace are gone after retire, and retire lists them before it removes anything."""
    lab.ada.project("thesis", "six>=1.15,<1.17")
    first = lab.ada.launches("thesis")
    lab.ada.inside("thesis", "echo weights > ~/model.bin; echo kept > /workspace/kept.txt")
    preview = lab.ada.data("retire", "thesis", "--dry-run")
    expect(any(path.endswith("/model.bin") for path in preview["files"]), f"it lists {preview['files']}")
    expect(not any("kept.txt" in path for path in preview["files"]), "it counts a workspace file as lost")
    expect(lab.ada.container("thesis")["id"] == first["id"], "the dry run removed it")
    lab.ada.ds01("retire", "thesis", "--yes")
    lab.ada.launches("thesis")
    expect(lab.ada.inside("thesis", "test -e ~/model.bin && echo there || echo gone") == "gone", "the file came back")
    expect(lab.ada.inside("thesis", "cat /workspace/kept.txt") == "kept", "the workspace file is gone")
    return "retire named ~/model.bin before it went; the file in /workspace stayed."


def w3_files_belong_to_the_user(lab: Lab) -> str:
    """A file created in the container belongs to the user on the host, also for directory users."""
    seen = [_owns(student) for student in (lab.ada, lab.student(DIRECTORY_LOGIN, DIRECTORY_UID))]
    return f"Files made inside belong on the host to uid {' and uid '.join(map(str, seen))}."


def _owns(student: Student) -> int:
    folder = student.project("thesis", "six>=1.15,<1.17")
    student.launches("thesis")
    student.inside("thesis", "touch /workspace/mine; mkdir -p /workspace/deep/er")
    try:
        for path in (folder / "mine", folder / "deep/er"):
            owner = (path.stat().st_uid, path.stat().st_gid)
            expect(
                owner == (student.uid, student.person.gid), f"{path.name} of {student.person.login} belongs to {owner}"
            )
        name = student.inside("thesis", "id -un")
        expect(name, f"uid {student.uid} has no name inside")
    finally:
        student.ds01("retire", "thesis", "--yes")
    return student.uid


def w4_caches_persist(lab: Lab) -> str:
    """Model and package caches persist under /workspace/.cache."""
    folder = lab.ada.project("thesis", "six>=1.15,<1.17")
    lab.ada.launches("thesis")
    for name in CACHES:
        value = lab.ada.inside("thesis", f'mkdir -p "${name}" && echo kept > "${name}/mark" && echo ${name}')
        expect(value.startswith("/workspace/.cache"), f"{name} is {value!r}")
    asked = lab.ada.inside("thesis", "pip cache dir")
    expect(asked.startswith("/workspace/.cache"), f"pip itself says it keeps its cache in {asked}")
    lab.ada.ds01("retire", "thesis", "--yes")
    lab.ada.launches("thesis")
    for name in CACHES:
        expect(lab.ada.inside("thesis", f'cat "${name}/mark"') == "kept", f"what was in {name} is gone")
    marks = len(list((folder / ".cache").rglob("mark")))
    return f"What lay in {marks} caches (pip, uv, Hugging Face, torch, the rest) is there in the next container."


def w5_nobody_reads_anothers_workspace(lab: Lab) -> str:
    """Nobody reads another user's workspace: not through DS01, not through Docker."""
    folder = lab.ada.project("thesis", "six>=1.15,<1.17")
    victim = lab.ada.launches("thesis")
    lab.ada.inside("thesis", "echo secret > /workspace/secret.txt")
    lab.ben.project("thesis", "six>=1.15,<1.17")
    image = f"ds01-{lab.ben.uid}/thesis"
    for line in _attempts(folder, victim["id"], image):
        done = lab.ben.tries(*line[1:]) if line[0] == "ds01" else lab.ben.tries_docker(*line[1:])
        expect("secret\n" not in done.out, f"{' '.join(line)} showed the file")
        expect(done.code != 0, f"{' '.join(line)} was allowed")
    everything = lab.ben.docker("ps", "--all", "--no-trunc", "--quiet")
    expect(victim["id"] not in everything, "docker ps shows the other's container")
    mode = stat.S_IMODE(Path(lab.ada.person.home / "workspace").stat().st_mode)
    expect(not mode & 0o007, f"~/workspace of the other is open to all ({mode:o})")
    return "Through ds01, docker exec, cp, mounts and inspect: the other's files and containers do not exist."


def _attempts(folder: Path, victim: str, image: str) -> list[tuple[str, ...]]:
    read = ("sh", "-c", "cat /x/secret.txt")
    return [
        ("ds01", "exec", victim, "--", "cat", "/workspace/secret.txt"),
        ("ds01", "launch", "thesis", "--workspace", str(folder), "--background", "--yes", "--gpus", "0", "--recreate"),
        ("docker", "exec", victim, "cat", "/workspace/secret.txt"),
        ("docker", "cp", f"{victim}:/workspace/secret.txt", "-"),
        ("docker", "inspect", victim),
        ("docker", "run", "--rm", "-v", f"{folder}:/x", image, *read),
        (
            "docker",
            "run",
            "--rm",
            "-v",
            f"{folder.parent.parent}:/x",
            image,
            "sh",
            "-c",
            "cat /x/workspace/thesis/secret.txt",
        ),
        ("docker", "run", "--rm", "--mount", f"type=bind,src={folder},dst=/x,readonly", image, *read),
        ("docker", "run", "--rm", "--volumes-from", victim, image, "cat", "/workspace/secret.txt"),
    ]
