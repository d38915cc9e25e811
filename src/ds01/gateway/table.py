"""Every request the gateway serves. What is not here is refused."""

from __future__ import annotations

from ds01.domain import signals
from ds01.domain.dockerpolicy.build import BUILD
from ds01.domain.dockerpolicy.cacheprune import KINDS
from ds01.domain.dockerpolicy.platform import variant
from ds01.domain.dockerpolicy.psargs import ps_args
from ds01.domain.dockerpolicy.query import TIME, Rules, anything, flag, grace, lines, matching, number, one_of, tail
from ds01.domain.dockerpolicy.verdict import not_allowed
from ds01.gateway.handlers import (
    archive,
    build,
    buildkit,
    cache,
    changing,
    commit,
    containers,
    create,
    events,
    grpc_api,
    images,
    linking,
    load,
    naming,
    networks,
    prune,
    pull,
    push,
    rename,
    saving,
    session,
    streams,
    system,
    usage,
    volumes,
)
from ds01.gateway.refusals import REFUSALS
from ds01.gateway.routes import CONTAINER, CREATE_CAP, EXEC, IMAGE, NETWORK, VOLUME, BodyKind, Route, Table

_SIGNAL = matching(signals.PATTERN, "a signal by its name or number, like TERM, SIGINT or 9")
_DETACH_KEYS = matching(r"[A-Za-z0-9@^\[\]\\_,-]{0,64}", "keys like ctrl-p,ctrl-q")
_PLATFORM = matching(r"[A-Za-z0-9/._-]{0,64}", "a platform like linux/amd64")
_STREAMS = {"stream": flag, "stdin": flag, "stdout": flag, "stderr": flag, "logs": flag, "detachKeys": _DETACH_KEYS}
_SIZE = {"h": number, "w": number}
_LIKE_AN_IMAGE = r"[A-Za-z0-9][A-Za-z0-9_.:@-]*(?:/[A-Za-z0-9_.:@-]+)*"
"""``docker inspect`` asks for a container, a network and a volume of this name as well."""
_OF = f"/containers/{CONTAINER}"
_CONTAINER_FILTERS = frozenset(
    {"id", "name", "label", "status", "ancestor", "before", "since", "exited", "health", "publish", "expose",
     "network", "volume", "is-task", "isolation"}
)  # fmt: skip
_EVENT_FILTERS = frozenset(
    {"container", "event", "image", "label", "type", "scope", "daemon", "volume", "network",
     "plugin", "node", "service", "secret", "config"}
)  # fmt: skip
"""Of the last five there is nothing that a user hears of; clients may ask all the same."""
_NETWORK_FILTERS = frozenset({"name", "id", "driver", "label", "type", "scope", "dangling"})
_VOLUME_FILTERS = frozenset({"name", "driver", "label", "dangling"})
_IMAGE_FILTERS = frozenset({"dangling", "label", "label!", "reference", "before", "since", "until"})


def _one_platform(name: str, value: str) -> str:
    """What is removed of an image is removed for everybody who has it, whatever it is called."""
    raise not_allowed("images.platforms", "removing one platform of an image",
                      "Others may have that image, all of it. Remove your name of it: docker rmi NAME.")  # fmt: skip


ROUTES: tuple[Route, ...] = (
    Route(name="ping", method="GET", path="/_ping", handler=system.ping, open=True),
    Route(name="ping", method="HEAD", path="/_ping", handler=system.ping, open=True),
    Route(name="version", method="GET", path="/version", handler=system.version, open=True),
    Route(name="info", method="GET", path="/info", handler=system.info),
    Route(name="events", method="GET", path="/events", handler=events.events,
          query=Rules(one={"since": TIME, "until": TIME}, filters=_EVENT_FILTERS, ignored=frozenset({"stream"}))),
    Route(name="options", method="OPTIONS", path=r"/[^?]*", handler=system.options, open=True),
    Route(name="system.df", method="GET", path="/system/df", handler=usage.usage,
          query=Rules(one={"verbose": flag}, many={"type": one_of("container", "image", "volume", "build-cache")})),
    Route(name="containers.list", method="GET", path="/containers/json", handler=containers.listing,
          query=Rules(one={"all": flag, "limit": number, "size": flag}, filters=_CONTAINER_FILTERS,
                      ignored=frozenset({"trunc_cmd"}))),
    Route(name="containers.create", method="POST", path="/containers/create", handler=create.create,
          query=Rules(one={"name": anything, "platform": _PLATFORM}), body=BodyKind.JSON, cap=CREATE_CAP,
          recorded=True),
    Route(name="containers.inspect", method="GET", path=f"{_OF}/json", handler=containers.inspect,
          query=Rules(one={"size": flag})),
    Route(name="containers.top", method="GET", path=f"{_OF}/top", handler=containers.passed,
          query=Rules(one={"ps_args": ps_args})),
    Route(name="containers.logs", method="GET", path=f"{_OF}/logs", handler=containers.logs,
          query=Rules(one={"follow": flag, "stdout": flag, "stderr": flag, "timestamps": flag, "details": flag,
                           "since": TIME, "until": TIME, "tail": tail})),
    Route(name="containers.stats", method="GET", path=f"{_OF}/stats", handler=containers.stats,
          query=Rules(one={"stream": flag, "one-shot": flag})),
    Route(name="containers.wait", method="POST", path=f"{_OF}/wait", handler=containers.wait,
          query=Rules(one={"condition": one_of("not-running", "next-exit", "removed")})),
    Route(name="containers.start", method="POST", path=f"{_OF}/start", handler=containers.start,
          query=Rules(one={"detachKeys": _DETACH_KEYS}), recorded=True),
    Route(name="containers.stop", method="POST", path=f"{_OF}/stop", handler=containers.stop,
          query=Rules(one={"t": grace, "signal": _SIGNAL}), recorded=True, frees=True),
    Route(name="containers.kill", method="POST", path=f"{_OF}/kill", handler=containers.stop,
          query=Rules(one={"signal": _SIGNAL}), recorded=True, frees=True),
    Route(name="containers.restart", method="POST", path=f"{_OF}/restart", handler=containers.restart,
          query=Rules(one={"t": grace, "signal": _SIGNAL}), recorded=True),
    Route(name="containers.pause", method="POST", path=f"{_OF}/pause", handler=containers.passed, recorded=True),
    Route(name="containers.unpause", method="POST", path=f"{_OF}/unpause", handler=containers.passed, recorded=True),
    Route(name="containers.resize", method="POST", path=f"{_OF}/resize", handler=containers.passed,
          query=Rules(one=_SIZE)),
    Route(name="containers.rename", method="POST", path=f"{_OF}/rename", handler=rename.rename,
          query=Rules(one={"name": anything}), recorded=True),
    Route(name="containers.update", method="POST", path=f"{_OF}/update", handler=changing.update,
          body=BodyKind.JSON, recorded=True),
    Route(name="containers.changes", method="GET", path=f"{_OF}/changes", handler=changing.changes),
    Route(name="containers.export", method="GET", path=f"{_OF}/export", handler=changing.export, recorded=True),
    Route(name="containers.prune", method="POST", path="/containers/prune", handler=changing.prune,
          query=Rules(filters=frozenset({"until", "label", "label!"})), recorded=True, frees=True),
    Route(name="containers.remove", method="DELETE", path=_OF, handler=containers.remove,
          query=Rules(one={"v": flag, "force": flag, "link": flag}), recorded=True, frees=True),
    Route(name="containers.unlink", method="DELETE", path=rf"{_OF}/(?P<alias>[A-Za-z0-9][A-Za-z0-9_.-]*)",
          handler=linking.unlink, query=Rules(one={"v": flag, "force": flag, "link": flag}), recorded=True),
    Route(name="containers.attach", method="POST", path=f"{_OF}/attach", handler=streams.attach,
          query=Rules(one=_STREAMS, ignored=frozenset({"hijack"})), recorded=True),
    Route(name="containers.attach", method="GET", path=f"{_OF}/attach/ws", handler=streams.attach_websocket,
          query=Rules(one=_STREAMS), recorded=True),
    Route(name="archive.look", method="HEAD", path=f"{_OF}/archive", handler=archive.look,
          query=Rules(one={"path": anything})),
    Route(name="archive.take", method="GET", path=f"{_OF}/archive", handler=archive.take,
          query=Rules(one={"path": anything}), recorded=True),
    Route(name="archive.put", method="PUT", path=f"{_OF}/archive", handler=archive.put, body=BodyKind.STREAM,
          query=Rules(one={"path": anything, "noOverwriteDirNonDir": flag, "copyUIDGID": flag}), recorded=True),
    Route(name="exec.create", method="POST", path=f"{_OF}/exec", handler=streams.exec_create,
          body=BodyKind.JSON, recorded=True),
    Route(name="exec.start", method="POST", path=f"/exec/{EXEC}/start", handler=streams.exec_start,
          body=BodyKind.JSON, recorded=True),
    Route(name="exec.resize", method="POST", path=f"/exec/{EXEC}/resize", handler=streams.exec_resize,
          query=Rules(one=_SIZE)),
    Route(name="exec.inspect", method="GET", path=f"/exec/{EXEC}/json", handler=streams.exec_inspect),
    Route(name="images.build", method="POST", path="/build", handler=build.build, query=BUILD, body=BodyKind.STREAM,
          recorded=True),
    Route(name="build.cancel", method="POST", path="/build/cancel", handler=buildkit.cancel,
          query=Rules(one={"id": matching(r"[A-Za-z0-9]{1,128}", "the id of a build")}), recorded=True),
    Route(name="grpc", method="POST", path="/grpc", handler=grpc_api.api, recorded=True),
    Route(name="session", method="POST", path="/session", handler=session.session, recorded=True),
    Route(name="images.list", method="GET", path="/images/json", handler=images.listing,
          query=Rules(one={"all": flag, "digests": flag, "shared-size": flag, "manifests": flag,
                           "identity": flag, "filter": anything},
                      filters=_IMAGE_FILTERS, ignored=frozenset({"only_ids"}))),
    Route(name="images.search", method="GET", path="/images/search", handler=images.search,
          query=Rules(one={"term": anything, "limit": number},
                      filters=frozenset({"is-official", "is-automated", "stars"}))),
    Route(name="images.create", method="POST", path="/images/create", handler=pull.create,
          query=Rules(one={"fromImage": anything, "fromSrc": anything, "repo": anything, "tag": anything,
                           "message": anything, "platform": _PLATFORM}, many={"changes": lines}),
          body=BodyKind.STREAM, recorded=True),
    Route(name="images.tag", method="POST", path=f"/images/{IMAGE}/tag", handler=naming.tag,
          query=Rules(one={"repo": anything, "tag": anything, "force": flag}), recorded=True),
    Route(name="images.remove", method="DELETE", path=f"/images/{IMAGE}", handler=naming.remove,
          query=Rules(one={"force": flag, "noprune": flag}, many={"platforms": _one_platform}), recorded=True,
          frees=True),
    Route(name="images.prune", method="POST", path="/images/prune", handler=prune.images,
          query=Rules(filters=frozenset({"dangling", "until", "label", "label!"})), recorded=True, frees=True),
    Route(name="build.prune", method="POST", path="/build/prune", handler=cache.prune, recorded=True, frees=True,
          query=Rules(one={"all": flag, "keep-storage": number, "reserved-space": number, "max-used-space": number,
                           "min-free-space": number}, filters=frozenset({"until", "unused-for", *KINDS}))),
    Route(name="images.push", method="POST", path=f"/images/{IMAGE}/push", handler=push.push,
          query=Rules(one={"tag": anything, "platform": variant}), recorded=True),
    Route(name="images.save", method="GET", path="/images/get", handler=saving.save,
          query=Rules(many={"names": anything, "platform": variant}), recorded=True),
    Route(name="images.save", method="GET", path=f"/images/{IMAGE}/get", handler=saving.save_one,
          query=Rules(many={"platform": variant}), recorded=True),
    Route(name="images.load", method="POST", path="/images/load", handler=load.load,
          query=Rules(one={"quiet": flag}, many={"platform": variant}), body=BodyKind.STREAM, recorded=True),
    Route(name="images.commit", method="POST", path="/commit", handler=commit.commit,
          query=Rules(one={"container": anything, "repo": anything, "tag": anything, "comment": anything,
                           "author": anything, "pause": flag}, many={"changes": lines}),
          body=BodyKind.JSON, recorded=True),
    Route(name="registry.auth", method="POST", path="/auth", handler=push.auth, body=BodyKind.JSON, recorded=True),
    Route(name="distribution", method="GET", path=f"/distribution/{IMAGE}/json", handler=images.distribution),
    Route(name="images.history", method="GET", path=f"/images/{IMAGE}/history", handler=images.history,
          query=Rules(one={"platform": variant})),
    Route(name="images.attestations", method="GET", path=f"/images/{IMAGE}/attestations", handler=images.attestations,
          query=Rules(one={"statement": flag}, many={"platform": variant, "type": anything})),
    Route(name="images.inspect", method="GET", path=f"/images/{IMAGE}/json", handler=images.inspect,
          query=Rules(one={"manifests": flag, "platform": variant})),
    Route(name="networks.list", method="GET", path="/networks", handler=networks.listing,
          query=Rules(filters=_NETWORK_FILTERS)),
    Route(name="networks.create", method="POST", path="/networks/create", handler=networks.create,
          body=BodyKind.JSON, recorded=True),
    Route(name="networks.prune", method="POST", path="/networks/prune", handler=networks.prune,
          query=Rules(filters=frozenset({"until", "label", "label!"})), recorded=True),
    Route(name="networks.connect", method="POST", path=f"/networks/{NETWORK}/connect", handler=networks.connect,
          body=BodyKind.JSON, recorded=True),
    Route(name="networks.disconnect", method="POST", path=f"/networks/{NETWORK}/disconnect",
          handler=networks.disconnect, body=BodyKind.JSON, recorded=True),
    Route(name="networks.inspect", method="GET", path=f"/networks/{NETWORK}", handler=networks.inspect,
          query=Rules(one={"verbose": flag, "scope": one_of("local")})),
    Route(name="networks.remove", method="DELETE", path=f"/networks/{NETWORK}", handler=networks.remove, recorded=True),
    Route(name="volumes.list", method="GET", path="/volumes", handler=volumes.listing,
          query=Rules(filters=_VOLUME_FILTERS)),
    Route(name="volumes.create", method="POST", path="/volumes/create", handler=volumes.create,
          body=BodyKind.JSON, recorded=True),
    Route(name="volumes.prune", method="POST", path="/volumes/prune", handler=volumes.prune,
          query=Rules(filters=frozenset({"label", "label!", "all"})), recorded=True, frees=True),
    Route(name="volumes.inspect", method="GET", path=f"/volumes/{VOLUME}", handler=volumes.inspect),
    Route(name="volumes.remove", method="DELETE", path=f"/volumes/{VOLUME}", handler=volumes.remove,
          query=Rules(one={"force": flag}), recorded=True, frees=True),
    Route(name="plugins.list", method="GET", path="/plugins", handler=system.no_plugins,
          query=Rules(filters=frozenset({"capability", "enable"}))),
    Route(name="plugins.inspect", method="GET", path=r"/plugins/(?P<plugin>[A-Za-z0-9][A-Za-z0-9_./:-]*)/json",
          handler=system.nothing_there),
    *REFUSALS,
    *(
        Route(name="absent", method="GET", path=rf"/{kind}s/(?P<{kind}>{_LIKE_AN_IMAGE}){end}",
              handler=system.nothing_there)
        for kind, end in (("container", "/json"), ("network", ""), ("volume", ""))
    ),
    *(
        Route(name="swarm", method=method, path=r"/(?:swarm|nodes|services|tasks|secrets|configs)(?:/[^?]*)?",
              handler=system.no_swarm, query=Rules(unread=True), body=BodyKind.STREAM)
        for method in ("GET", "POST", "DELETE", "PUT")
    ),
)  # fmt: skip

TABLE = Table(ROUTES)
