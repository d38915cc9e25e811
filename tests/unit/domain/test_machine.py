"""Limits against the machine."""

from fractions import Fraction

from ds01.config.limits import read
from ds01.domain.machine import Machine, shortfalls
from ds01.domain.settings import Settings

GIB = 1024**3
SMALL = Machine(cpus=2.0, memory_bytes=24 * GIB, gpueq=Fraction(4), slots=4, disk_bytes=100 * GIB)


def test_what_the_file_asks_beyond_the_machine_is_told_with_its_line() -> None:
    settings = read(
        "defaults:\n  cpus: 8\n  memory: 20G\ngroups:\n  big: {gpus: {max: 4.5, per_container: 5}, memory: 32G}\n"
        "users:\n  bob: {disk: {workspace: 1T}}\naggregate:\n  big: {cpus: 3}\n",
        "/etc/ds01/limits.yaml",
    )
    assert shortfalls(settings, SMALL) == (
        "limits.yaml:2 defaults.cpus: 8 is more than this server has (2)",
        "limits.yaml:5 groups.big.gpus.max: 4.5 is more than this server has (4)",
        "limits.yaml:5 groups.big.gpus.per_container: 5 is more than this server has (4)",
        "limits.yaml:5 groups.big.memory: 32G is more than this server has (24G)",
        "limits.yaml:9 aggregate.big.cpus: 3 is more than this server has (2)",
        "limits.yaml:7 users.bob.disk.workspace: 1T is more than this server has (100G)",
    )


def test_no_limit_and_built_in_values_ask_for_nothing() -> None:
    assert shortfalls(read("defaults: {gpus: {max: null}}"), SMALL) == ()
    assert shortfalls(Settings(), SMALL) == ()
