"""The engine's answers as their user knows things: her names, the image she asked for, the folder she wrote."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cached_property, partial
from typing import Any

from ds01.domain.dockerpolicy import logs
from ds01.domain.dockerpolicy.tags import looked_up
from ds01.domain.image import repository
from ds01.domain.labels import BUILD_LABELS, Label
from ds01.domain.names import own_door, plain_container
from ds01.domain.network import OWN
from ds01.domain.own_images import plain_image, plain_text
from ds01.gateway import shownjson
from ds01.gateway.finish import WRITTEN_AS
from ds01.gateway.registry import Registry
from ds01.gateway.said import said
from ds01.gateway.things import Found, Things
from ds01.wire.door import DoorContainer, DoorImage, DoorUser
from ds01.wire.holdings import DoorNetwork, DoorVolume

RUNTIME = "runc"
"""What containers run with, as far as their users see; the guard stands in front of it."""

ENGINE_SOCKET = "/var/run/docker.sock"
_MODES = {mark: mode for mode, mark in WRITTEN_AS.items()}


class View:
    """How one user sees the engine. A stream has one for as long as it lasts, which may be days."""

    def __init__(self, registry: Registry, user: DoorUser) -> None:
        self._registry = registry
        self._user = user
        self._things = Things(registry, user)
        self._own_names: Mapping[str, str] = {}
        self._own_stand: int | None = None

    @property
    def _own(self) -> Mapping[str, str]:
        """Her own names of images, looked up again when something about images has changed; an admin sees all names as
        the engine has them.
        """
        if not self._user.admin and self._own_stand != self._registry.image_stand:
            self._own_stand = self._registry.image_stand
            self._own_names = self._registry.own_images(self._user)
        return self._own_names

    @cached_property
    def account(self) -> str:
        """Whose view it is."""
        return self._user.account

    @property
    def admin(self) -> bool:
        """Whether it is an admin's, who sees everything."""
        return self._user.admin

    @property
    def stand(self) -> int:
        """Of what volumes and networks are called: another number when something about them has changed."""
        return self._registry.stand

    @property
    def container_stand(self) -> int:
        """The same, of containers."""
        return self._registry.container_stand

    @cached_property
    def owned(self) -> Callable[[str], DoorContainer | None]:
        """Finds the container of an id, when it is hers to see."""
        return partial(self._registry.by_id, self._user)

    def called(self, ref: str) -> str:
        """What she calls the image of this name of the engine's."""
        return ref if self._user.admin else plain_image(ref, self._user.uid)

    def text(self, text: str) -> str:
        """A text of the engine, with the names she knows."""
        return text if self._user.admin else plain_text(text, self._user.uid)

    def rows(self, found: Any) -> list[Found]:
        """``containers/json``: her own rows only."""
        rows = found if isinstance(found, list) else []
        return [shown for row in rows if (shown := self.row(row)) is not None]

    def row(self, found: Found) -> Found | None:
        """One of these rows, None when it is not hers."""
        container = self.owned(str(found.get("Id", "")))
        if container is None:
            return found if self._user.admin else None
        return self._row(found, container)

    def _row(self, row: Found, container: DoorContainer) -> Found:
        row["Names"] = [f"/{self._registry.named(self._user, container)}"]
        if container.image_ref:
            row["Image"] = container.image_ref
        row["Labels"] = labels(row.get("Labels"))
        self._places(row, container)
        return row

    def _places(self, found: Found, container: DoorContainer) -> None:
        """What is mounted and which networks it is on, under the names the user has for them."""
        host = found.get("HostConfig") or {}
        for mounts in (found.get("Mounts"), host.get("Mounts")):
            sources(mounts, container.binds)
            sockets(mounts, container)
            self._things.mounts(mounts)
        if "Binds" in host:
            host["Binds"] = self._things.binds(host["Binds"])
            as_written(found.get("Mounts"), host)
        log = host.get("LogConfig") or {}
        if log.get("Config"):
            log["Config"] = logs.shown(log["Config"])
        if host.get("Runtime"):
            host["Runtime"] = RUNTIME
        if "NetworkMode" in host:
            host["NetworkMode"] = self._things.network_name(str(host["NetworkMode"]))
        self._things.endpoints(found.get("NetworkSettings"), container)
        self._links(found, host)

    def _links(self, found: Found, host: Found) -> None:
        """Links by the names of what is linked; those over her own network where she wrote them."""
        ends = (found.get("NetworkSettings") or {}).get("Networks") or {}
        for name, end in ends.items():
            named = [self._linked(link) for link in end.get("Links") or ()]
            if name == OWN and named and "Links" in host:
                of = str(found.get("Name"))
                host["Links"] = [f"/{ref}:{of}/{alias}" for ref, _, alias in (link.partition(":") for link in named)]
                named = []
            end["Links"] = named or None

    def _linked(self, link: str) -> str:
        ref, _, alias = link.partition(":")
        known = next((c for c in self._registry.containers(self._user) if c.id.startswith(ref)), None)
        return f"{ref if known is None else self._registry.named(self._user, known)}:{alias.lstrip('/')}"

    def inspected(self, found: Found, container: DoorContainer) -> Found:
        """``containers/{id}/json``."""
        found["Name"] = f"/{self._registry.named(self._user, container)}"
        config = found.get("Config") or {}
        if container.image_ref:
            config["Image"] = container.image_ref
        config["Labels"] = labels(config.get("Labels"))
        self._places(found, container)
        state = found.get("State") or {}
        if state.get("Error"):
            state["Error"] = said(self._registry, self._user, str(state["Error"]), (container.id,))
        return found

    def stats_line(self, line: bytes, container: DoorContainer) -> bytes:
        """One reading of ``stats``."""
        found = shownjson.load_object(line)
        if found is None:
            return b""
        if "name" in found:
            found["name"] = f"/{self._registry.named(self._user, container)}"
        return shownjson.write(found) + b"\n"

    def event_line(self, line: bytes, images: Collection[str] = ()) -> bytes:
        """One event: of her own containers, volumes and networks, and the images she sees; anything else is dropped. An
        admin's is passed as it is. Of ``images``, where there are some, are those that the engine would find by them.
        """
        found = shownjson.load_object(line)
        kept = None if found is None else self._event(found)
        if kept is None or (images and not self._of_one(kept, images)):
            return b""
        return shownjson.write(kept) + b"\n"

    def _of_one(self, event: Found, images: Collection[str]) -> bool:
        """Whether an event is about one of these images or a container of one: by an id or a name, with its tag or
        without. The engine knows a container's image by its id alone, because DS01 makes it so.
        """
        actor = event.get("Actor") or {}
        subject, told = str(actor.get("ID", "")), actor.get("Attributes") or {}
        known = self._registry.told(self._user, subject, str(told.get("name", "")))
        names = [subject, str(told.get("name" if event.get("Type") == "image" else "image", ""))]
        if isinstance(known, DoorContainer):
            names.append(known.image_ref)
        return any(name in images or _without_tag(name) in images for name in names)

    def _event(self, found: Found) -> Found | None:
        if self._user.admin:
            return found
        actor = found.get("Actor")
        if not isinstance(actor, dict):
            return None
        attributes = actor.get("Attributes") or {}
        if found.get("Type") == "image":
            return self._image_event(found, actor, str(actor.get("ID", "")))
        subject, name = str(actor.get("ID", "")), str(attributes.get("name", ""))
        match self._registry.told(self._user, subject, name or subject):
            case DoorContainer() as container:
                return self._container_event(found, actor, attributes, container)
            case DoorVolume() as volume:
                actor["ID"] = self._registry.called(self._user, volume)
            case DoorNetwork() as network:
                attributes["name"] = self._registry.called(self._user, network)
            case None:
                return None
        other = attributes.get("container")
        if other and self._registry.told(self._user, str(other), "") is None:
            return None
        actor["Attributes"] = attributes
        return found

    def _container_event(self, found: Found, actor: Found, attributes: Found, container: DoorContainer) -> Found:
        """By the names it had when that happened: a rename comes before DS01 has it in its books."""
        for name in {"name", "oldName"} & attributes.keys():
            attributes[name] = plain_container(str(attributes[name]), container.uid)
        if container.image_ref:
            attributes["image"] = container.image_ref
            if "from" in found:
                found["from"] = container.image_ref
        actor["Attributes"] = labels(attributes)
        return found

    def _image_event(self, found: Found, actor: Found, subject: str) -> Found | None:
        attributes = actor.get("Attributes") or {}
        name = str(attributes.get("name") or "")
        account = f"{attributes.get(Label.OWNER)}:{attributes.get(Label.EPOCH)}"
        if self._registry.image(self._user, subject) is None and self._registry.writers.is_bringing(
            self._user, subject, account
        ):
            attributes = actor["Attributes"] = labels(attributes)
        elif not self._of_hers(subject, name):
            return None
        if name:
            attributes["name"] = self.called(name)
        actor["ID"] = self.called(subject)
        if "id" in found:
            found["id"] = self.called(str(found["id"]))
        return found

    def _of_hers(self, subject: str, name: str) -> bool:
        """Whether an event is about an image she sees, under a name she may use or is writing."""
        known = self._registry.image(self._user, subject)
        if known is not None:
            ref = looked_up(name)
            hers = not ref or name in (known.id, subject) or self.named(known, ref)
            return hers or self._registry.writers.is_writing(self._user, ref)
        ref = looked_up(subject)
        if ref and self._registry.writers.is_writing(self._user, ref):
            return True
        return any(ref in image.refs and self.named(image, ref) for image in self._registry.images(self._user))

    def images(self, found: Any) -> list[Found]:
        """``images/json``: her own and the shared ones, with the tags she may see."""
        rows = found if isinstance(found, list) else []
        return [shown for row in rows if (shown := self.image_row(row)) is not None]

    def image_row(self, row: Found) -> Found | None:
        """One of these rows, None when it is neither hers nor shared."""
        if self._user.admin:
            return row
        known = self._registry.image(self._user, str(row.get("Id", "")))
        if known is not None:
            return self.image(row, known)
        if not self._made(row):
            return None
        self._config(row)
        return row

    def _made(self, row: Found) -> bool:
        """A layer of one of her own builds, which has no record: every step's label says whose it is."""
        told = row.get("Labels") or {}
        made = f"{told.get(Label.OWNER)}:{told.get(Label.EPOCH)}" == self._user.account
        return made and set(row.get("RepoTags") or ()) <= {"<none>:<none>"}

    def image(self, found: Found, known: DoorImage) -> Found:
        """An image with the names she may use."""
        for key in ("RepoTags", "RepoDigests"):
            found[key] = [self.called(name) for name in found.get(key) or () if self.named(known, name)]
        if not self._user.admin:
            self._config(found)
            self._parts(found)
        return found

    def _parts(self, found: Found) -> None:
        """The platforms of an image: without containers that are others', and without where others have it from."""
        platforms = [part.get("ImageData") or {} for part in found.get("Manifests") or ()]
        for part in platforms:
            part["Containers"] = [id_ for id_ in part.get("Containers") or () if self.owned(id_) is not None]
        for told in (found, *platforms):
            if told.get("Identity"):
                told["Identity"] = {key: each for key, each in told["Identity"].items() if key == "Signature"}

    def _config(self, found: Found) -> None:
        """Its labels, and of which image a container it was made, as she wrote them."""
        maker = self._registry.by_id(self._user, str(found.get("Container") or ""))
        for config in (found, found.get("Config"), found.get("ContainerConfig")):
            if config and "Labels" in config:
                config["Labels"] = labels(config["Labels"]) or None
            if config and config.get("Image") and maker is not None and maker.image_ref:
                config["Image"] = maker.image_ref

    def named(self, image: DoorImage, ref: str) -> bool:
        """Whether she may use this name of the engine's: one of her own by the same name comes first."""
        return self._user.admin or (ref not in self._own and image.access.named(ref, self._user.account))

    def layers(self, found: Any) -> list[Found]:
        """``images/{name}/history``: the names of each layer that she may use."""
        rows: list[Found] = found if isinstance(found, list) else []
        for row in rows:
            known = self._registry.image(self._user, str(row.get("Id", "")))
            tags = row.get("Tags")
            if tags and not self._user.admin:
                hers = [self.called(tag) for tag in tags if known is not None and self.named(known, tag)]
                row["Tags"] = hers or None
        return rows


def _without_tag(name: str) -> str:
    """A name of an image without its tag; what is no name is as it is."""
    found = looked_up(name)
    return repository(found) if found else name


def labels(found: Any) -> dict[str, str]:
    """Labels as their user wrote them: of DS01's only the facts about a recipe, not what DS01 keeps its books by."""
    if not isinstance(found, Mapping):
        return {}
    return {key: value for key, value in found.items() if not key.startswith(_OURS) or (value and key in _TOLD)}


_OURS, _TOLD = str(Label.PREFIX), BUILD_LABELS


def linked(found: Found) -> bool:
    """Whether a container as the engine shows it has links, which are called by the names of other containers."""
    ends = (found.get("NetworkSettings") or {}).get("Networks") or {}
    return any(end.get("Links") for end in ends.values())


def sources(mounts: Any, binds: Mapping[str, str]) -> None:
    """Write the folders the user asked for over the staged ones."""
    for mount in mounts if binds and isinstance(mounts, list) else []:
        if isinstance(mount, dict) and mount.get("Source") in binds:
            mount["Source"] = binds[mount["Source"]]


def as_written(mounts: Any, host: Found) -> None:
    """Show what was written as binds as binds."""
    there = {mount.get("Destination"): mount for mount in mounts or ()}
    others, binds = [], list(host["Binds"] or ())
    for mount in host.get("Mounts") or ():
        mode = _MODES.get(mount.get("Consistency", ""))
        if mode is None:
            others.append(mount)
            continue
        binds.append(":".join(filter(None, (mount["Source"], mount["Target"], mode))))
        if mount["Target"] in there:
            there[mount["Target"]]["Mode"] = mode
    host["Binds"] = binds or None
    if others:
        host["Mounts"] = others
    else:
        host.pop("Mounts", None)


def sockets(mounts: Any, container: DoorContainer) -> None:
    """Write the engine's socket over the owner's own one."""
    own = f"/u/{own_door(container.uid, container.epoch)}"
    for mount in mounts if isinstance(mounts, list) else []:
        if isinstance(mount, dict) and str(mount.get("Source", "")).endswith(own):
            mount["Source"] = ENGINE_SOCKET
