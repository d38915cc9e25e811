"""``python -m ds01.simulate.openb IN OUT``: a trace for ``ds01 simulate`` from the public openb list of pods.

IN is ``openb_pod_list_default.csv`` of github.com/alibaba/clusterdata (``cluster-trace-gpu-v2023``), whose licence
allows study only: neither it nor OUT belongs into a package or a repository. What is made of it, and why:

- pods without a GPU, never scheduled, or alive when the recording ended are left out: how long they run is not known;
- so are the few created before its last 35 days, which would make one long almost empty begin;
- a run is from ``scheduled_time`` to ``deletion_time``: how long a pod waited there says nothing about here;
- pods that ask for more GPUs than there are here are left out;
- submissions keep their order and bursts and are moved together or apart, all by one factor, so that the GPU time
  asked for is ``load`` times the GPU time there is between the first and the last of them;
- there are no users, so each pod gets one by chance, the k-th of ``users`` with weight 1/k^0.8, from a seed.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ds01.domain.queue.floor import WHOLE
from ds01.simulate.measure import offered
from ds01.simulate.trace import NEEDED, Job

END = 12_902_960
"""When the recording ended."""
LAST_DAYS = 35 * 86400
USERS = 40
_SKEW = 0.8


def convert(
    rows: Iterable[Mapping[str, str]], *, gpus: int, load: float, users: int = USERS, seed: int = 1,
    longest: float | None = None,
) -> list[Job]:  # fmt: skip
    """The jobs of these rows for so many GPUs. Runs are cut at ``longest`` seconds, if given."""
    pods = sorted(_pods(rows, gpus, longest), key=lambda job: job.submit)
    if len(pods) < 2:
        return []
    weights = [1 / (number + 1) ** _SKEW for number in range(users)]
    names = random.Random(seed).choices([f"u{number:02}" for number in range(users)], weights, k=len(pods))  # noqa: S311
    first = pods[0].submit
    factor = offered(pods) / (gpus * load) / (pods[-1].submit - first)
    return [
        replace(pod, user=name, submit=round((pod.submit - first) * factor, 3))
        for pod, name in zip(pods, names, strict=True)
    ]


def write(jobs: Iterable[Job], file: Path) -> None:
    """As a trace."""
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(NEEDED)
        rows.writerows((job.id, job.user, job.submit, job.duration, f"{job.gpus:g}") for job in jobs)


def _pods(rows: Iterable[Mapping[str, str]], gpus: int, longest: float | None) -> Iterator[Job]:
    for row in rows:
        count, ended = int(row["num_gpu"]), int(row["deletion_time"] or END)
        if not 0 < count <= gpus or not row["scheduled_time"] or ended >= END:
            continue
        if int(row["creation_time"]) < END - LAST_DAYS:
            continue
        length = max(1.0, ended - float(row["scheduled_time"]))
        yield Job(
            id=row["name"], user="", submit=float(row["creation_time"]), slots=count,
            duration=length if longest is None else min(length, longest),
            amount=int(row["gpu_milli"]) * WHOLE // 1000 if count == 1 else WHOLE,
        )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """The program."""
    parser = argparse.ArgumentParser(
        prog="python -m ds01.simulate.openb", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pods", type=Path, metavar="IN")
    parser.add_argument("trace", type=Path, metavar="OUT")
    parser.add_argument("--gpus", type=int, required=True)
    parser.add_argument("--load", type=float, required=True)
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, metavar="SECONDS", help="cut longer runs")
    options = parser.parse_args(arguments)
    with options.pods.open(encoding="utf-8", newline="") as file:
        jobs = convert(
            csv.DictReader(file), gpus=options.gpus, load=options.load, users=options.users, seed=options.seed,
            longest=options.longest,
        )  # fmt: skip
    write(jobs, options.trace)
    sys.stdout.write(f"{len(jobs)} jobs, {offered(jobs) / 3600:.0f} GPU hours, in {options.trace}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
