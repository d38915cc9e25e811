"""A fair share of the GPUs: F1 to F3."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import docker

from dev.people import Done, acting_as
from dev.promises.lab import Lab, Student, expect

PACKAGES = ("six>=1.15,<1.17",)
RAW = """\
import http.client, json, socket, sys
class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
gpu = {"Driver": "nvidia", "Count": 2, "Capabilities": [["gpu"]]}
body = {"Image": sys.argv[2], "Cmd": ["sleep", "600"], "HostConfig": {"DeviceRequests": [gpu]}}
link = Unix("engine")
link.request("POST", "/v1.41/containers/create?name=raw", json.dumps(body), {"Content-Type": "application/json"})
answer = link.getresponse()
print(answer.status, answer.read().decode())
sys.exit(answer.status != 201)
"""


def f1_nobody_chooses_an_index(lab: Lab) -> str:
    """You never choose a GPU index; you get the least harmful free one."""
    lab.ada.project("thesis", *PACKAGES)
    image = f"ds01-{lab.ada.uid}/thesis"
    first = lab.ada.launches("thesis", gpus=1)["gpus"]
    lab.ada.ds01("retire", "thesis", "--yes")
    second = lab.ada.launches("thesis", gpus=1)["gpus"]
    expect(first != second, f"twice in a row GPU {first}, while others were used less recently")
    wanted = second[0]
    lab.ada.docker("run", "--detach", "--name", "chooser", "--gpus", f'"device={wanted}"', image, "sleep", "600")
    got = lab.ada.container("chooser")["gpus"]
    expect(len(got) == 1 and got != second, f"asked for GPU {wanted}, which is in use, it got {got}")
    refused = lab.ada.tries_docker("run", "--rm", "--device", "/dev/nvidia3", image, "true")
    expect(refused.code != 0, "a device node of the host was given away")
    return (
        f"GPU {first[0]}, then the less recently used {second[0]}; who asked docker for GPU {wanted} got GPU {got[0]}."
    )


def f2_the_same_policy_through_every_door(lab: Lab) -> str:
    """The same policy holds through every door: ds01, plain docker, an SDK, a raw socket."""
    lab.ada.project("thesis", *PACKAGES)
    image = f"ds01-{lab.ada.uid}/thesis"
    lab.ada.launches("thesis", gpus=2)
    doors: dict[str, Callable[[], Done]] = {
        "ds01": lambda: lab.ada.tries("launch", "thesis", "--name", "more", "--gpus", "2", "--background", "--yes"),
        "docker": lambda: lab.ada.tries_docker("run", "--detach", "--gpus", "2", image, "sleep", "600"),
        "an SDK": lambda: _with_sdk(lab.ada, image),
        "a raw socket": lambda: lab.ada.person.run(lab.stack.python, "-c", RAW, lab.stack.door, image),
        "an environment variable": lambda: lab.ada.tries_docker(
            "run", "--rm", "--env", "NVIDIA_VISIBLE_DEVICES=all", image, "sh", "-c", "ls /dev/nvidia0"
        ),
    }
    for door, asks in doors.items():
        done = asks()
        expect(done.code != 0, f"two more GPUs were given through {door}, beyond the limit of 3")
    before = {found["name"] for found in lab.ada.containers()}
    expect(before == {"thesis"}, f"a refused request left {before}")
    lab.ada.docker("run", "--detach", "--name", "third", "--gpus", "1", image, "sleep", "600")
    found = {item["name"]: item for item in lab.ada.containers()}
    expect(found["third"]["lease"] == "active", "what docker started holds no lease")
    expect((found["thesis"]["door"], found["third"]["door"]) == ("ds01", "docker"), "the doors are not told apart")
    return f"Beyond the limit refused through {', '.join(doors)}; within it docker's container holds a lease like any."


def _with_sdk(student: Student, image: str) -> Done:
    """Ask for two GPUs as a user's script does with the Docker SDK."""
    two = docker.types.DeviceRequest(count=2, capabilities=[["gpu"]])
    with acting_as(student.person):
        client = docker.DockerClient(base_url=f"unix://{student.gateway}", version="1.41")
        try:
            client.containers.run(image, ["sleep", "600"], detach=True, device_requests=[two])
            return Done(code=0, out="", err="", seconds=0)
        except docker.errors.APIError as error:
            return Done(code=1, out="", err=str(error), seconds=0)
        finally:
            client.close()


def f3_no_gpu_is_leased_twice(lab: Lab) -> str:
    """A GPU is never leased twice, under any concurrency, crash or restart."""
    for student in (lab.ada, lab.ben):
        student.project("thesis", *PACKAGES)
    with lab.limits({"containers": "20", "gpus.max": "8"}):
        asks = [(student, number) for number in range(6) for student in (lab.ada, lab.ben)]
        granted = threading.Semaphore(0)
        crash = threading.Thread(target=_crash, args=(lab, granted))
        crash.start()
        with ThreadPoolExecutor(len(asks)) as pool:
            done = list(pool.map(lambda ask: _asks(ask[0], ask[1], granted), asks))
        crash.join()
        given = [name for name, code in done if code == 0]
        _nothing_lost(lab, given)
        slots = _slots_in_use(lab)
        expect(len(slots) == len(set(slots)), f"the engine's running containers hold {sorted(slots)}")
        leased = [slot for lease in lab.leases() for slot in lease["slots"]]
        expect(len(leased) == len(set(leased)), f"the ledger's open leases hold {sorted(leased)}")
    return f"{len(asks)} requests at once for 4 GPUs, ds01d killed among them: {len(given)} acknowledged, none twice."


def _crash(lab: Lab, granted: threading.Semaphore) -> None:
    """Kill ds01d when two requests were granted and the others are on their way."""
    if all(granted.acquire(timeout=120) for _ in range(2)):
        lab.kill_ds01d()


def _asks(student: Student, number: int, granted: threading.Semaphore) -> tuple[str, int]:
    """One request of the race, through one door or the other; ``granted`` counts those that got a GPU."""
    name = f"race-{number}"
    if number % 2:
        image = f"ds01-{student.uid}/thesis"
        done = student.tries_docker("run", "--detach", "--init", "--name", name, "--gpus", "1", image, "sleep", "300")
    else:
        done = student.tries("launch", "thesis", "--name", name, "--gpus", "1", "--background", "--yes")
    if done.code == 0:
        granted.release()
    return f"{student.person.login}/{name}", done.code


def _slots_in_use(lab: Lab) -> list[str]:
    """What the engine's own records say of every container that runs with GPUs."""
    ids = lab.engine("ps", "--quiet", "--filter", "label=ds01.slots").split()
    labels = [lab.inspect(identity)["Config"]["Labels"]["ds01.slots"] for identity in ids]
    return [slot for text in labels for slot in _listed(text)]


def _listed(text: str) -> list[str]:
    return list(json.loads(text)) if text.startswith("[") else [word for word in text.split(",") if word]


def _nothing_lost(lab: Lab, given: list[str]) -> None:
    for student in (lab.ada, lab.ben):
        mine = {item["name"]: item for item in student.containers()}
        for name in (full.split("/", 1)[1] for full in given if full.startswith(student.person.login + "/")):
            expect(name in mine, f"{name} was acknowledged and is not listed")
            expect(
                mine[name]["lease"] == "active", f"{name} was acknowledged and has the lease {mine[name]['lease']!r}"
            )
