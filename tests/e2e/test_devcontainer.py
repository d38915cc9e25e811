"""The devcontainer that ``ds01 init`` writes is one the editors' own command brings up, with what the project has."""

from __future__ import annotations

import json

import pytest
from dev import devcontainer
from dev.promises.lab import Lab

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]


@pytest.mark.skipif(not devcontainer.available(), reason="left out: needs node and npm")
def test_the_generated_devcontainer_comes_up_for_two_users_at_once(lab: Lab) -> None:
    for student, part in ((lab.ada, ""), (lab.ben, 'gpus = "full"\n')):
        student.retires_all()
        student.ds01("init", "editor", "--type", "blank", "--vscode", "--no-input")
        student.lists("editor", "six>=1.15,<1.17")
        student.shell("mkdir -p ~/photos && echo cell > ~/photos/one")
        run = f'\n{part}memory = "1G"\ndata = ["~/photos"]\nenv = {{MODE = "offline"}}\nports = {{mlflow = 5000}}\n'
        student.shell(f"cat >> {student.workspace('editor')}/ds01.toml <<'END'{run}END")
        student.ds01("image", "create", "editor")
    try:
        for student, part in ((lab.ada, "1"), (lab.ben, "full")):
            folder = student.workspace("editor")
            command = ["env", f"DOCKER_HOST=unix://{student.gateway}", *devcontainer.command()]
            up = student.person.run(*command, "up", "--workspace-folder", str(folder))
            assert json.loads(up.out)["outcome"] == "success", up.err
            script = "id -u; pwd; python -c 'import six; print(six.__version__)'; touch made; cat /data/one; echo $MODE"
            done = student.person.run(*command, "exec", "--workspace-folder", str(folder), "sh", "-c", script)
            assert done.out.split() == [str(student.uid), "/workspace", "1.16.0", "cell", "offline"], done.err
            refused = student.person.run(*command, "exec", "--workspace-folder", str(folder), "touch", "/data/two")
            assert refused.code != 0
            assert [each["gpu_count"] for each in student.data("list") if each["door"] == "devcontainer"] == [1]
            assert (folder / "made").stat().st_uid == student.uid
            labels = lab.inspect(student.docker("ps", "--quiet"))["Config"]["Labels"]
            assert (labels["ds01.gpus"], labels["ds01.gpus.memory"]) == (part, str(1024**3))
    finally:
        for student in (lab.ada, lab.ben):
            student.retires_all()
