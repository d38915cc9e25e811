"""Containers are ephemeral compute sessions: E1 to E7."""

from __future__ import annotations

import time

from dev import programs
from dev.people import person
from dev.promises.lab import BrokenError, Lab, Student, expect
from dev.promises.terminal import Terminal

PACKAGES = ("six>=1.15,<1.17",)
TRAINING = """\
import pathlib, signal, sys, time
def save(number, frame):
    time.sleep(2)
    pathlib.Path("/workspace/checkpoint").write_text(signal.Signals(number).name)
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
pathlib.Path("/workspace/training").write_text("epoch 1")
time.sleep(600)
"""


def e1_leaving_the_shell_stops_nothing(lab: Lab) -> str:
    """Leaving the shell (exit, Ctrl-D, a lost SSH link) does not stop the container."""
    lab.ada.project("thesis", *PACKAGES)
    first = lab.ada.launches("thesis")
    started = lab.inspect(first["id"])["State"]["StartedAt"]
    for way, leave in (("exit", _exits), ("Ctrl-D", _ends_input), ("a lost link", _is_cut_off)):
        terminal = Terminal(lab.ada.person, str(lab.ada.commands / "ds01"), "launch", "thesis")
        terminal.answers()
        leave(terminal)
        state = lab.inspect(first["id"])["State"]
        expect(state["Running"] and state["StartedAt"] == started, f"after {way} the container is {state['Status']}")
    expect(lab.ada.container("thesis")["state"] == "running", "ds01 list does not say that it runs")
    return "exit, Ctrl-D and a cut line: the container runs on."


def _exits(terminal: Terminal) -> None:
    terminal.types("exit\n")
    terminal.ends()


def _ends_input(terminal: Terminal) -> None:
    terminal.types("\x04")
    terminal.ends()


def _is_cut_off(terminal: Terminal) -> None:
    terminal.is_lost()
    time.sleep(1)  # time for the engine to notice


def e2_retire_frees_the_gpu_at_once(lab: Lab) -> str:
    """retire is done in under 10 s, and another user can lease that GPU immediately."""
    lab.ada.project("thesis", *PACKAGES)
    lab.ben.project("thesis", *PACKAGES)
    lab.ada.launches("thesis", gpus=2)
    lab.ben.launches("thesis", gpus=2)
    refused = lab.ben.tries("launch", "thesis", "--name", "second", "--gpus", "1", "--background", "--yes")
    expect(refused.code == 3, f"with all GPUs in use the exit code was {refused.code}: {refused.err.strip()}")
    lab.ada.inside("thesis", "pip install -q tabulate")
    preview = lab.ada.data("retire", "thesis", "--dry-run")
    expect(preview["packages"], "it does not offer to keep the new package")
    slots = set(lab.ada.container("thesis")["gpus"])
    done = lab.ada.ds01("retire", "thesis", "--yes")
    expect(done.seconds < 10, f"retire took {done.seconds:.1f} s")
    got = lab.ben.launches("thesis", name="second", gpus=1)
    expect(set(got["gpus"]) <= slots, f"the other user got {got['gpus']}, not one of {sorted(slots)}")
    expect(not lab.ada.has("thesis"), "the container is still listed")
    return (
        f"All four GPUs taken; retire took {done.seconds:.1f} s and the other user had the GPU with the next command."
    )


def e3_recreating_takes_hardly_longer_than_docker(lab: Lab) -> str:
    """Recreate from an existing image: the shell is there within 1 s of what docker run itself needs."""
    lab.ada.project("thesis", *PACKAGES)
    ours, theirs = [], []
    for _ in range(4):
        ours.append(_to_shell(lab.ada, str(lab.ada.commands / "ds01"), "launch", "thesis", "--gpus", "1", "--yes"))
        lab.ada.ds01("retire", "thesis", "--yes")
        theirs.append(_docker_to_shell(lab))
    # The best of each: whatever else the machine does at the moment only adds.
    expect(min(ours) - min(theirs) < 1, f"launch took {ours} s, docker run {theirs} s")
    return f"To a shell that answers: {min(ours):.2f} s, docker run {min(theirs):.2f} s."


def _to_shell(student: Student, *command: str) -> float:
    terminal = Terminal(student.person, *command)
    seconds = terminal.answers()
    terminal.types("exit\n")
    terminal.ends()
    return seconds


def _docker_to_shell(lab: Lab) -> float:
    image = f"ds01-{lab.ada.uid}/thesis"
    terminal = Terminal(
        person("root"), "docker", "-H", f"unix://{lab.stack.engine}", "run", "--rm", "-it", image, "bash"
    )
    seconds = terminal.answers()
    terminal.types("exit\n")
    terminal.ends()
    return seconds


def e4_a_stop_holds_the_gpu_for_a_while(lab: Lab) -> str:
    """Stopping keeps the container, and the GPU for the hold; then the GPU goes back, and start leases it again."""
    lab.ada.project("thesis", *PACKAGES)
    lab.ben.project("thesis", *PACKAGES)
    with lab.limits({"gpu_hold": "4s"}):
        lab.ada.launches("thesis", gpus=1)
        lab.ada.inside("thesis", "echo mine > ~/note")
        stopped = lab.ada.data("stop", "thesis")
        expect(
            (stopped["state"], stopped["lease"]) == ("stopped", "held"), f"it is {stopped['state']}, {stopped['lease']}"
        )
        _waits_for_release(lab)
        lab.ada.ds01("start", "thesis")
        again = lab.ada.container("thesis")
        expect((again["state"], again["lease"]) == ("running", "active"), f"it is {again['state']}, {again['lease']}")
        expect(lab.ada.inside("thesis", "cat ~/note") == "mine", "the restart lost a file of the container")
        lab.ada.ds01("stop", "thesis")
        _waits_for_release(lab)
        _takes_all_gpus(lab)
        refused = lab.ada.tries("start", "thesis")
        expect(refused.code == 3, f"with no GPU free, start ended with {refused.code}")
        expect(lab.ada.container("thesis")["state"] == "stopped", "it started without a GPU")
    said = refused.err.strip().splitlines()[0]
    return f"The GPU was held, given back, leased again; with none free, start said: {said}"


def _waits_for_release(lab: Lab) -> None:
    released = programs.until(lambda: lab.ada.container("thesis")["lease"] == "", 120)
    expect(released, "the GPU was not given back after its hold")
    expect(lab.ada.container("thesis")["state"] == "stopped", "the container went with its GPU")
    expect(lab.free_slots() == 4, f"{lab.free_slots()} of 4 GPUs are free")


def _takes_all_gpus(lab: Lab) -> None:
    lab.ben.launches("thesis", gpus=2)
    lab.ben.launches("thesis", name="second", gpus=1)
    lab.ada.launches("thesis", name="second", gpus=1)


def e5_training_gets_its_signal_and_its_grace(lab: Lab) -> str:
    """PID 1 forwards signals and reaps: a training script gets SIGTERM and its full grace."""
    folder = lab.ada.project("thesis", *PACKAGES)
    lab.ada.person.run("tee", str(folder / "train.py"), given=TRAINING)
    lab.ada.launches("thesis")
    lab.ada.inside("thesis", "rm -f /workspace/checkpoint /workspace/training; for i in 1 2 3; do (true &); done")
    lab.ada.inside("thesis", "nohup python /workspace/train.py > /dev/null 2>&1 &")
    expect(programs.until((folder / "training").exists, 60), "the training did not start")
    reaped = programs.until(lambda: "Z" not in lab.ada.inside("thesis", "ps -eo stat="), 60)
    expect(reaped, "there are zombies in the container")
    done = lab.ada.ds01("stop", "thesis")
    checkpoint = folder / "checkpoint"
    expect(checkpoint.exists(), "the training was killed before it could save")
    expect(checkpoint.read_text() == "SIGTERM", f"it got {checkpoint.read_text()}")
    expect(done.seconds > 2, "stop did not wait for it")
    return f"The script got SIGTERM, took its two seconds, and saved; stop returned after {done.seconds:.1f} s."


def e6_every_stop_has_a_reason(lab: Lab) -> str:
    """Every stop has a recorded reason, and ds01 why NAME tells it."""
    lab.ada.project("thesis", *PACKAGES)
    image = f"ds01-{lab.ada.uid}/thesis"
    lab.ada.launches("thesis")
    lab.ada.ds01("stop", "thesis")
    lab.ada.docker("run", "--detach", "--name", "broken", image, "sh", "-c", "exit 3")
    eater = "x = []\nwhile True: x.append(bytearray(2**24))"
    lab.ada.docker("run", "--detach", "--name", "hungry", "--memory", "96m", image, "python", "-c", eater)
    lab.ada.launches("thesis", name="gone")
    lab.ada.ds01("retire", "gone", "--yes")
    wanted = {"thesis": "by you", "broken": "code 3", "hungry": "memory", "gone": "retired"}
    told = {name: _reason(lab, name, reason) for name, reason in wanted.items()}
    return "; ".join(f"{name}: {text}" for name, text in told.items())


def _reason(lab: Lab, name: str, wanted: str) -> str:
    programs.until(lambda: wanted in str(lab.ada.data("why", name)["reason"]), 60)
    story = lab.ada.data("why", name)
    if wanted not in str(story["reason"]):
        raise BrokenError(f"ds01 why {name} says {story['reason']!r}, not {wanted}")
    return str(story["summary"])


def e7_gpus_are_numbered_from_zero_inside(lab: Lab) -> str:
    """Inside, GPUs are numbered 0…n-1 whatever the host calls them."""
    lab.ada.project("thesis", *PACKAGES)
    lab.ben.project("thesis", *PACKAGES)
    held = [*lab.ada.launches("thesis", gpus=1)["gpus"]]
    for student, name, count in ((lab.ben, "thesis", 2), (lab.ada, "second", 1)):
        found = student.launches("thesis", name="" if name == "thesis" else name, gpus=count)
        nodes = student.inside(name, "cd /dev && ls -d nvidia[0-9]*").split()
        expect(nodes == [f"nvidia{index}" for index in range(count)], f"on {found['gpus']} of the host it has {nodes}")
        listed = student.inside(name, "nvidia-smi -L").splitlines()
        shown = [line.split(":")[0] for line in listed if line.startswith("GPU ")]
        expect(shown == [f"GPU {index}" for index in range(count)], f"nvidia-smi lists {listed}")
        held += found["gpus"]
    expect(len(set(held)) == 4, f"the host's GPUs in use are {held}")
    return f"The host's GPUs {', '.join(held[1:3])} are nvidia0 and nvidia1 inside; each container counts from 0."
