"""What ``--json`` prints: every field of every view, described once for ``--info`` and the reference page.

A test compares them with the dataclasses of ``ds01.wire``; they are repeated here because the help must not import
those, and because a field's name alone explains nothing.
"""

from __future__ import annotations

_CONTAINER = {
    "name": "what you call it",
    "id": "the engine's id",
    "owner": "whose it is",
    "project": "its project, empty for a container made with docker",
    "image": "the image it was made from",
    "state": "creating, running, paused, stopped, removed or quarantined",
    "door": "how it came to be: ds01, docker, compose, devcontainer or job",
    "created_at": "when (UTC, ISO 8601; so are all times)",
    "started_at": "when it last started, or null",
    "stopped_at": "when it last stopped, or null",
    "removed_at": "when it was removed, or null",
    "reason": "why it stopped, in words",
    "gpus": "labels of the GPUs it holds: 0 is GPU 0, 2:1g.5gb an instance on GPU 2",
    "gpu_count": "how many GPUs it asks for when it starts",
    "lease": "its lease: reserved, active, held or empty",
    "gpu_hold_until": "until when the GPU of a stopped container is kept, or null",
    "remove_at": "when a stopped container will be removed, or null",
    "workspace": "the folder of the server that is /workspace in it",
    "stale": "why its image is not the project's latest, empty when it is",
    "gpu_utilisation": "how busy its GPUs are, 0 to 100, or null",
    "memory_bytes": "memory in use, or null",
    "idle_left_seconds": "how long it may stay idle from now, or null",
    "runtime_left_seconds": "how long it may run from now, or null",
}

VIEWS: dict[str, dict[str, str]] = {
    "Command": {
        "command": "the command's words",
        "aliases": "other words for it",
        "summary": "what it does",
        "arguments": "what it takes: name, help, required, many",
        "options": "its options: name, short, value, choices, help, default, many",
        "examples": "five examples: command, meaning",
        "exit_codes": "how it may end: code, meaning",
        "prints": "the view that --json prints",
        "related": "commands to look at next",
    },
    "ContainerView": _CONTAINER,
    "StartResult": {
        "container": "the container, as 'ds01 list' prints it",
        "recreated": "whether it was made anew on its own files because its GPUs changed",
        "notes": "what else one should know",
    },
    "StatsView": {
        "name": "the container",
        "cpu_percent": "100 is one core",
        "memory_bytes": "memory in use",
        "memory_limit_bytes": "memory it may use",
        "network_bytes": "sent and received since it started",
        "pids": "processes and threads",
        "gpus": "labels of its GPUs",
        "gpu_utilisation": "how busy they are, 0 to 100, or null",
    },
    "RetirePreview": {
        "container": "the container, as 'ds01 list' prints it",
        "processes": "programs that would be ended",
        "files": "changed files outside the workspace, the first of them",
        "files_total": "how many there are",
        "packages": "packages added or upgraded by hand: name, version, source, before, requested, direct",
        "workspace": "the folder that stays",
    },
    "RetireResult": {
        "name": "the container",
        "freed": "labels of the GPUs that are free now",
        "rescued": "the folder files were copied to, empty when none were",
        "packages": "packages added or upgraded by hand: name, version, source, before, requested, direct",
        "files_lost": "how many changed files outside the workspace went with it",
        "workspace": "the folder that stays",
        "seconds": "how long it took",
    },
    "WhyView": {
        "name": "the container",
        "state": "its state",
        "reason": "why it stopped, as a word for programs",
        "summary": "the same for people",
        "entries": "its story, oldest first: at, what, detail",
    },
    "LaunchPlan": {
        "action": "attach, unpause, start, create or recreate",
        "name": "the container",
        "image": "the image it uses or would use",
        "build": "why the image must be built first, empty when it need not be",
        "stale": "why the existing container is behind its image, empty when it is not",
        "gpus": "how much GPU it has or would ask for",
        "container": "the existing container, or null",
        "steps": "what would be done, in words",
    },
    "StatusView": {
        "login": "who you are",
        "group": "the group your limits come from",
        "server": "this server's name",
        "simulated_gpus": "whether the GPUs are simulated",
        "usage": "what you use of what you may: what, used, limit",
        "gpus": "the server's GPUs, as 'ds01 gpus' prints them",
        "containers": "your containers, as 'ds01 list' prints them",
        "notices": "what you should know",
    },
    "GpusView": {
        "simulated": "whether the GPUs are simulated",
        "slots": "GPUs and MIG instances: id, label, model, profile, memory_bytes, gpueq, state, holder, container,"
        " utilisation, memory_used_bytes, reason",
        "free": "how many can be had now",
        "total": "how many there are",
    },
    "LimitsView": {
        "login": "whose limits",
        "group": "the group they come from",
        "admin": "whether this user is an admin",
        "limits": "each limit: key, value, source, meaning",
    },
    "LimitView": {
        "key": "the limit",
        "value": "its value, as it is written in the limits file",
        "source": "the line it comes from",
        "meaning": "what it limits",
    },
    "EventView": {
        "seq": "its number; later is larger",
        "at": "when",
        "type": "what kind, for example container.stopped",
        "actor": "who did it: a login, or ds01",
        "user": "whose affair it is",
        "subject": "what it happened to",
        "outcome": "done, denied or failed",
        "details": "more, by name",
        "text": "the same as a sentence",
    },
    "DoctorView": {
        "checks": "each check: name, state (ok, warning or failed), text, fix",
        "healthy": "whether none failed",
    },
    "Topic": {"name": "what to type after 'ds01 help'", "summary": "what it is about"},
    "Processes": {"titles": "the names of the columns", "processes": "one list of values for each process"},
    "Name": {"name": "the container"},
}


def fields(prints: str) -> tuple[tuple[str, str], ...]:
    """The fields of what a command prints (``list of ContainerView``) with their meanings."""
    return tuple(VIEWS[prints.split()[-1]].items())
