"""The labels by which DS01 knows its containers and images again. Light: the command line loads it all the time."""

from __future__ import annotations


class Label:
    """Docker labels of DS01: enough of them to rebuild the live state when the ledger is lost."""

    PREFIX = "ds01."
    SCHEMA = "ds01.schema"
    OWNER = "ds01.owner.uid"
    EPOCH = "ds01.owner.epoch"
    NAME = "ds01.name"
    PROJECT = "ds01.project"
    WORKSPACE = "ds01.workspace"
    DOOR = "ds01.door"
    LEASE = "ds01.lease"
    SLOTS = "ds01.slots"
    GPUS = "ds01.gpus"
    GPU_MEMORY = "ds01.gpus.memory"
    """Bytes each of its slots has at least; not there, or empty, when none were asked for."""
    SPEC = "ds01.spec"
    IMAGE = "ds01.image"
    FORCED_USER = "ds01.forced_user"
    PINS = "ds01.pins"
    BINDS = "ds01.binds"
    """JSON: ``[[staged source, target, "ro" or "rw", shown], …]`` in the order they were pinned."""
    AMOUNTS = "ds01.amounts"
    """JSON: cpus, bytes of memory and of swap, processes it was granted. An update changes the engine's, not this."""
    SEAL = "ds01.seal"
    """Says that DS01 wrote the labels; see ``domain/seal.py``."""
    INTERNAL = "ds01.internal"
    """On images DS01 made to recreate a container on its own writable layer."""
    BASE = "ds01.base"
    BUILT_AT = "ds01.built_at"
    PACKAGES = "ds01.packages"
    ON_STOP = "ds01.on_stop"


TRUSTED = tuple(
    value for name, value in vars(Label).items() if isinstance(value, str) and name.isupper() and name != "PREFIX"
)
"""Every label DS01 reads; each is set at create, because an image's labels are inherited."""

BUILD_LABELS = frozenset({Label.SPEC, Label.BASE, Label.PROJECT, Label.BUILT_AT, Label.PACKAGES})
"""What whoever builds an image may say of it: facts about its recipe, no authority follows from them. The gateway
lets exactly these ``ds01.*`` labels through in a build and sets the owner itself.
"""

SCHEMA_VERSION = "1"
