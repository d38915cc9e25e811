"""docs/reference/docker-policy.md: every request the gateway serves and every field it lets through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dev.docs import table
from ds01.domain.dockerpolicy.config import CONFIG
from ds01.domain.dockerpolicy.create import HOST
from ds01.domain.dockerpolicy.entries import MOST, USUAL
from ds01.domain.dockerpolicy.execute import EXEC
from ds01.domain.dockerpolicy.field import Field
from ds01.domain.dockerpolicy.network import ENDPOINT
from ds01.domain.dockerpolicy.networks import NETWORK
from ds01.domain.dockerpolicy.strictjson import MOST_VALUES
from ds01.domain.dockerpolicy.volumes import VOLUME
from ds01.domain.engine_versions import NEWEST_API
from ds01.gateway.decisions import DECISIONS
from ds01.gateway.routes import OLDEST, Route
from ds01.gateway.table import ROUTES

NAME = "docker-policy.md"

_OLDEST, _NEWEST = (".".join(map(str, version)) for version in (OLDEST, NEWEST_API))

_HEAD = f"""\
# What the Docker API lets through

Written by `make docs` from `src/ds01/domain/dockerpolicy` and `src/ds01/gateway/table.py`; why it is so is in
[the gateway](../explanation/gateway.md).

A refusal names its rule in brackets: `DS01: a privileged container is not allowed here (create.privileged)`. What has
no line here is refused. A field nobody knows is left out when it says nothing (clients send every field they know) and
refused when it says something (`field.unknown`). API versions {_OLDEST} to {_NEWEST} are spoken, never newer than the
engine's.

Your containers, and nobody else's, are what you see: everything else reads as if it were not there.

A container without folders of the host may run as root or anybody, in a user namespace where every uid is itself
(`docker.root` in limits.yaml). In one with a folder of the host, and in whatever joins it, everything runs as you (uid
and gid), without capabilities and with `no-new-privileges`; so does everything where ds01-runc is not the engine's
default runtime. Why is in [the guard](../explanation/guard.md).

## Requests
"""

_IMAGES = """\
## Images

You see what is yours and what is shared: the bases and protected names of the server, and what anybody pulled without
a password. Somebody else's image is `No such image`, under whatever name or id.

- `pull`, `push`, `login`, `search`: with the registries of `images.registries`; any other is `registry.unknown`. Three
  at once. What you pull with a password is seen by those who pull it with one.
- Names (`tag`, `build`, `load`, `import`, `commit`): a free one or your own. One that somebody else has is yours
  besides, and only you see yours; it is pushed under another name (`push.own`). What everybody sees is `tags.taken`.
  `images.protected`, the bases and `ds01-<another uid>/…` are `tags.protected` and `tags.others`.
- `pull` brings what the registry has, whoever wrote the name before: she keeps what she wrote, under the same name.
- `save`: of a repository without a tag, the tags you may use.
- `load`: archives made by `docker save`, plain or compressed with gzip, bzip2, xz or zstd. The list of names in it is
  judged and written anew; a name that means its image already is not written.
- `import`: from your side (`docker import FILE` or `-`); an address is `import.source`.
- `commit`: of your own containers; labels of DS01 do not come along.
- `rmi`: takes away what is yours. What others have or run as well stays for them; what is everybody's and you did not
  pull is `images.shared`.
- `image prune`: yours that no container uses. `builder prune`: what your builds left in the cache.
- Space: your images (layers in equal parts among those who brought them), what your containers wrote and your volumes
  may take `disk.images`; past it, `disk.quota` says what uses it.

"""

_BUILD = """\
## Builds

The engine's own builder (`DOCKER_BUILDKIT=0`) is served: `t`, `dockerfile`, `target`, `buildargs`, `labels`, `nocache`,
`rm`, `forcerm`, `q` and `memory` are kept; `networkmode` may be empty, `default` or `none`; `pull` and `cachefrom` are
left out; everything else is refused, `remote` above all. The context is a plain tar archive without devices. The
Dockerfile is read and written anew: one instruction a line, images by id, each of them yours or shared, or pulled for
the build from a registry of the limits file. Refused in it:
`ADD` of an address (for git also `host:path`; a file with such a name is `./host:path`) or with variables in its
sources, `RUN`, `COPY` and `ADD` options other than `--from`, `--chown` and `--chmod`, here-documents, another escape
character, `ONBUILD` with an image, in the Dockerfile or in an image it is built from, where each is one instruction,
and none a `RUN` where the classic builder uses its cache (`build.onbuild`). Names:
`ds01-<your uid>/…` or any free one; never one of somebody else or a protected one
(`images.protected` in limits.yaml).

BuildKit (`DOCKER_BUILDKIT=1` with a 20.10 client) is served where the steps of its builds are guarded; elsewhere it is
refused, and clients that ask the server which builder to use are told the other one. The context is a folder that the
client serves over a session, or a plain tar archive as the body (`POST /build?version=2` without `session` and
`remote`), then without secrets, ssh agents, results as files, and a `.dockerignore` that would be heeded. The same is
kept and refused, and besides: `RUN --mount` (`from` a stage, or an image of yours or a shared one), `--network=none`,
`COPY --link`, secrets, ssh agents, and results written to your files (`--output`, types local and tar). Build arguments
that steer BuildKit itself (`BUILDKIT_…`) are left out.

buildx and compose v2 use the server's builder (`docker buildx use default`); one in a container is refused. Served
besides: bake, `--secret`, `--ssh`, `--build-context` with an image or a folder, `--cache-to type=inline`. Refused:
`--push` (push afterwards), `--platform` other than the server's, `--allow`, `--add-host`, `--cgroup-parent`, `--network
host`, contexts from an address, `ADD` of an address, caches elsewhere, and images that are neither yours nor shared
(`denied by policy`: get them first, with docker pull).
"""


def page() -> str:
    """The page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    yield from table(("request", "what is served", "parameters", "body"), _requests(ROUTES))
    yield "\n## Requests that are refused\n"
    yield from table(("request", "why", "rule"), _refusals(ROUTES))
    yield f"\n{_IMAGES}{_BUILD}"
    yield from _numbers()
    for heading, fields in (
        ("`create`: the configuration", CONFIG), ("`create`: `HostConfig`", HOST),
        ("`create` and `connect`: one endpoint of a network", ENDPOINT), ("`exec`", EXEC),
        ("`POST /volumes/create`", VOLUME), ("`POST /networks/create`", NETWORK),
    ):  # fmt: skip
        yield f"## {heading}\n"
        yield from table(("field", "what becomes of it", "rule"), _fields(fields))
        yield ""


def _numbers() -> Iterator[str]:
    """How many entries there may be."""
    said = ", ".join(f"`{name}` {number:,}" for name, number in MOST.items())
    yield f"## Lists and maps\n\nOne has {USUAL} entries at most, and an object as many fields; but {said}."
    yield f"More are refused before one is judged (`field.entries`). A body has {MOST_VALUES:,} values in all"
    yield "(`json.values`). How many mounts and published ports a container may have is less: 64 of each.\n"


def _requests(routes: Iterable[Route]) -> Iterator[tuple[str, str, str, str]]:
    for route in (route for route in routes if route.name != "swarm" and route.refusal is None):
        rules = route.query
        many = [f"`{name}`" for name in (*rules.one, *rules.many)]
        filters = [f"`filters` ({', '.join(sorted(rules.filters))})"] if rules.filters else []
        says = DECISIONS[route.name]
        yield f"`{route.method} {_plain(route.path)}`", says, ", ".join(many + filters), route.body.value


def _refusals(routes: Iterable[Route]) -> Iterator[tuple[str, str, str]]:
    """Those with a sentence of their own, by rule."""
    for route in routes:
        if route.refusal is not None:
            path = _plain(route.path.replace(r"(?:/[^?]*)?", "…").replace(r"[^?]*", "…"))
            yield f"`{route.method} {path}`", route.refusal.what.rstrip(","), f"`{route.refusal.rule}`"


def _plain(path: str) -> str:
    """A route's pattern as people write it."""
    out, depth, name = "", 0, ""
    for index, character in enumerate(path):
        if path.startswith("(?P<", index):
            name = path[index + 4 : path.index(">", index)]
        depth += character == "("
        if not depth:
            out += character
        if character == ")":
            depth -= 1
            out += f"{{{name}}}" if not depth and name else ""
            name = "" if not depth else name
    return out


def _fields(fields: Iterable[Field]) -> Iterator[tuple[str, str, str]]:
    for field in fields:
        yield f"`{field.name}`", field.says, f"`{field.rule}`"
