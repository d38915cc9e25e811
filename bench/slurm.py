"""A Slurm of one node to measure against: started in a folder, on ports of its own, and ended again.

It gets as many places as ours has GPUs, and the jobs are the same ``true``. It keeps no account, confines nothing and
waits for no batch of jobs to look at its queue, which is the quickest that it can be set up. Needs root and Debian's
``slurm-wlm`` and ``munge``.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "sinfo")
PATIENCE_SECONDS, LOOK_SECONDS = 30.0, 0.05
_CONF = """ClusterName=bench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs={places} State=UNKNOWN
PartitionName=bench Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """What keeps Slurm from being measured here, in words; ``""`` when nothing does."""
    absent = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    if absent:
        return f"Slurm is not installed (no {absent[0]}): apt-get install --no-install-recommends slurm-wlm munge"
    return "" if os.geteuid() == 0 else "Slurm is measured by root alone"


def rate(jobs: int, places: int) -> float | None:
    """Jobs a second from submission to the end of the last; None where there is no Slurm."""
    if missing():
        return None
    with tempfile.TemporaryDirectory(prefix="slurm", dir="/var/tmp") as folder, running(Path(folder), places) as known:
        began = time.perf_counter()
        words = ["sbatch", f"--array=0-{jobs - 1}", "--output=/dev/null", "--chdir=/", "--wrap=true"]
        subprocess.run(words, env=known, capture_output=True, check=True)
        while _said(["squeue", "--noheader", "--array"], known):
            time.sleep(LOOK_SECONDS)
        return jobs / (time.perf_counter() - began)


@contextmanager
def running(folder: Path, places: int) -> Iterator[dict[str, str]]:
    """The environment in which Slurm's commands find it."""
    folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    conf, key = folder / "slurm.conf", folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    host = socket.gethostname().partition(".")[0]
    controller, node = _ports()
    conf.write_text(_CONF.format(host=host, controller=controller, node=node, folder=folder, places=places))
    known = {**os.environ, "PATH": _path(), "SLURM_CONF": str(conf)}
    with ExitStack() as ends:
        files = [f"--{name}={folder}/munge.{name.partition('-')[0]}" for name in ("key-file", "socket", "pid-file")]
        files += [f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed"]
        ends.enter_context(_program(["munged", "--foreground", "--force", *files], known))
        ends.enter_context(_program(["slurmctld", "-D"], known))
        ends.enter_context(_program(["slurmd", "-D"], known))
        until = time.monotonic() + PATIENCE_SECONDS
        while _said(["sinfo", "--noheader", "--format=%t"], known) != "idle":
            if time.monotonic() > until:
                raise TimeoutError((folder / "slurmctld.log").read_text()[-2000:])
            time.sleep(LOOK_SECONDS)
        yield known


@contextmanager
def _program(words: list[str], known: dict[str, str]) -> Iterator[None]:
    """One that runs until it is told to end."""
    with subprocess.Popen(words, env=known, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def _said(words: list[str], known: dict[str, str]) -> str:
    return subprocess.run(words, env=known, capture_output=True, text=True, check=False).stdout.strip()


def _ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin"
