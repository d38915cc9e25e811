"""What is asked of both sides, in this order: method, path, body. Words in braces are things of the side that asks."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    body: Any = None


ASKED: list[Asked] = []
NOBODY = "0" * 64


def ask(method: str, *paths: str, body: Any = None) -> None:
    """Add requests of one kind."""
    ASKED.extend(Asked(method, path, body) for path in paths)


def filtered(path: str, *filters: str) -> None:
    """Add a list with each of these filters."""
    ask("GET", *(f"{path}filters={quote(text, safe='{}')}".replace("{", "{{").replace("}", "}}") for text in filters))


def key(name: str, value: str) -> str:
    """One filter."""
    return f'{{"{name}":["{value}"]}}'


def looking() -> None:
    """Lists, and what the engine says of itself."""
    ask("GET", "/_ping", "/version", "/info", "/system/df", "/plugins", "/volumes", "/networks")
    ask("GET", *(f"/images/json{query}" for query in ("", "?all=1", "?digests=1", "?only_ids=0&all=0")))
    ask("GET", *(f"/containers/json{query}" for query in (
        "", "?all=1", "?all=1&size=1", "?limit=1", "?limit=-1&all=0&size=0&trunc_cmd=1")))  # fmt: skip
    ask("GET", *(f"/{noun}" for noun in ("swarm", "nodes", "services", "tasks", "secrets", "configs", "nodes/x",
                                         "services/x", "swarm/unlockkey")))  # fmt: skip
    ask("POST", "/swarm/leave", "/swarm/leave?force=1")
    filtered("/containers/json?all=1&", *(key(*each) for each in (
        ("status", "exited"), ("status", "nonsense"), ("name", "dfup"), ("label", "a=b"), ("exited", "3"),
        ("exited", "x"), ("health", "none"), ("volume", "dfvol"), ("network", "dfnet"), ("publish", "80"),
        ("expose", "80"), ("before", "dfnew"), ("since", "dfup"), ("nonsense", "x"), ("is-task", "false"))),
        '{"label":{"a":true}}', "nonsense", "[]", '{"label":"x"}')  # fmt: skip
    filtered("/images/json?", *(key(*each) for each in (("dangling", "true"), ("dangling", "x"), ("label", "x"),
                                                        ("since", "absent"), ("nonsense", "x"))))  # fmt: skip
    filtered("/networks?", *(key(*each) for each in (
        ("name", "dfnet"), ("driver", "bridge"), ("type", "custom"), ("scope", "local"), ("nonsense", "x"),
        ("dangling", "true"), ("dangling", "x"), ("label", "x"))))  # fmt: skip
    filtered("/volumes?", *(key(*each) for each in (
        ("name", "dfvol"), ("driver", "local"), ("dangling", "true"), ("dangling", "x"), ("label", "a"),
        ("nonsense", "x"))))  # fmt: skip
    ask("GET", "/events?since=0&until=1")
    filtered("/events?since=0&until=1&", key("type", "container"))


def containers() -> None:
    """One that runs, one that ended, one that never ran, and none, by name and by id."""
    for name in ("dfup", "dfdone", "dfnew", "{dfup}", "absent", "0123456789ab"):
        of = f"/containers/{name}"
        ask("GET", *(f"{of}/{what}" for what in (
            "json", "json?size=1", "top", "top?ps_args=aux", "logs?stdout=1", "logs?stdout=1&stderr=1&tail=1",
            "changes", "stats?stream=0&one-shot=1")))  # fmt: skip
        ask("POST", *(f"{of}/{what}" for what in (
            "resize?h=10&w=10", "resize?h=x&w=10", "unpause", "rename?name=dfup", "kill?signal=99", "kill?signal=WINCH",
        )))  # fmt: skip
        ask("POST", f"{of}/exec", body={"Cmd": ["true"]})
        ask("POST", f"{of}/update", body={"CpuShares": 512})
        ask("POST", f"{of}/update", body={"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}})
    for name in ("dfup", "dfdone", "dfnew"):
        of = f"/containers/{name}"
        ask("GET", f"{of}/logs", f"{of}/logs?stdout=1&tail=x", f"{of}/logs?stdout=1&since=x")
        ask("POST", f"{of}/rename", f"{of}/rename?name=-x", f"{of}/kill?signal=NONSENSE", f"{of}/resize")
        ask("POST", f"{of}/exec", body={"Cmd": []})
        ask("POST", f"{of}/update", body={"RestartPolicy": {"Name": "nonsense"}})
    for name in ("dfdone", "dfnew"):
        ask("HEAD", f"/containers/{name}/archive?path=/etc")
        ask("GET", f"/containers/{name}/archive?path=/absent", f"/containers/{name}/archive")


def moving() -> None:
    """What is not possible in the state a container is in, and what is."""
    ask("POST", *(f"/containers/{what}" for what in (
        "dfup/start", "dfdone/stop", "dfnew/stop", "dfdone/kill", "dfdone/pause", "dfup/pause", "dfup/pause",
        "dfup/unpause", "dfup/unpause", "dfnew/pause", "absent/start", "absent/stop", "absent/restart", "absent/pause",
        "absent/wait", "dfup/stop?t=x", "dfdone/wait", "dfdone/wait?condition=not-running")))  # fmt: skip
    ask("DELETE", *(f"/containers/{what}" for what in ("dfup", "absent", "absent?force=1", "dfup/absent?link=1")))
    ask("GET", "/exec/{exec}/json", f"/exec/{NOBODY}/json", "/exec/nonsense/json")
    ask("POST", f"/exec/{NOBODY}/resize?h=1&w=1")
    ask("POST", f"/exec/{NOBODY}/start", "/exec/{exec}/start", body={"Detach": True})


def things() -> None:
    """Networks, volumes, images."""
    ask("GET", *(f"/networks/{name}" for name in ("dfnet", "bridge", "none", "absent", "dfnet?verbose=1")))
    ask("GET", "/volumes/dfvol", "/volumes/absent")
    ask("DELETE", *(f"/volumes/{name}" for name in ("dfvol", "absent", "absent?force=1")))
    ask("DELETE", *(f"/networks/{name}" for name in ("dfnet", "absent", "bridge", "none")))
    ask("DELETE", "/images/absent", "/images/absent:1?force=1")
    ask("GET", *(f"/images/{name}" for name in (
        "{image}/json", "{image}/history", "absent/json", "absent/history", "UPPER/json", "absent/get")))  # fmt: skip
    ask("POST", *(f"/images/{what}" for what in (
        "{image}/tag?repo={other}&tag=2", "{image}/tag?repo=UPPER", "absent/tag?repo=dfx", "{image}/tag",
        "create?fromImage=UPPER")))  # fmt: skip
    ask("DELETE", "/images/{other}:2")
    nothing = quote(key("label", "nothing")).replace("{", "{{")
    ask("POST", *(f"/{noun}/prune?filters={nothing}" for noun in ("containers", "networks", "volumes")))
    ask("POST", f"/containers/prune?filters={quote(key('nonsense', 'x'))}", "/images/prune")
    ask("POST", "/commit", "/commit?container=absent", "/commit?container=dfup&repo=UPPER", body={})
    ask("POST", "/commit?container=dfdone&repo={other}&tag=3&comment=hi&author=me", body={"Cmd": ["x"]})
    ask("GET", "/images/{other}:3/json")
    ask("DELETE", "/images/{other}:3")
    for name in ("dfdone", "dfnew", "absent"):
        ask("POST", "/networks/dfnet/connect", body={"Container": name, "EndpointConfig": {"Aliases": ["x"]}})
        ask("POST", "/networks/dfnet/disconnect", "/networks/dfnet/disconnect", body={"Container": name})
    ask("POST", "/networks/absent/connect", body={"Container": "dfdone"})


def making() -> None:
    """What can be made, and what no engine makes."""
    for body in ({"Name": "dfnet", "CheckDuplicate": True}, {"Name": "bridge"}, {"Name": "dfx", "Driver": "nonsense"}):
        ask("POST", "/networks/create", body=body)
    for body in ({"Name": "dfvol"}, {"Name": "dfvol", "Driver": "nonsense"}, {"Name": "-x"}):
        ask("POST", "/volumes/create", body=body)
    for named in ({}, {"Image": ""}, {"Image": "absent"}, {"Image": "absent:1"}, {"Image": "UPPER"}):
        ask("POST", "/containers/create", body=named)
    configs: tuple[dict[str, Any], ...] = (
        {"Env": "x"}, {"StopSignal": "NONSENSE"}, {"WorkingDir": "relative"}, {"Healthcheck": {"Interval": 1}},
    )  # fmt: skip
    hosts: tuple[dict[str, Any], ...] = (
        {"Binds": ["nonsense"]}, {"Binds": ["a:b"]}, {"RestartPolicy": {"Name": "nonsense"}}, {"Memory": 1},
        {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 3}},
        {"AutoRemove": True, "RestartPolicy": {"Name": "on-failure"}}, {"LogConfig": {"Type": "nonsense"}},
        {"PortBindings": {"x/tcp": [{}]}}, {"Mounts": [{"Type": "nonsense", "Target": "/x"}]},
        {"Mounts": [{"Type": "bind", "Source": "/absent", "Target": "/x"}]},
        {"Mounts": [{"Type": "volume", "Source": "dfvol"}]},
    )  # fmt: skip
    for config in (*configs, *({"HostConfig": host} for host in hosts)):
        ask("POST", "/containers/create", body={"Image": "ds01/tiny", **config})
    for name in ("dfup", "-x", "a/b", "dfup2 x"):
        ask("POST", f"/containers/create?name={quote(name, safe='')}", body={"Image": "ds01/tiny"})
    ask("POST", "/containers/create", body=b"nonsense")


for part in (looking, containers, moving, things, making):
    part()
