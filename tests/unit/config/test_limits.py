"""Reading limits.yaml: every part of it, and every mistake with its place."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from ds01.config.limits import load, read
from ds01.domain.container import Door
from ds01.domain.errors import BAD_LIMITS_FILE, Ds01Error, Exit
from ds01.domain.limits import Sourced
from ds01.domain.settings import LifecycleRules, Settings
from tests.unit.config.example import EXAMPLE

GIB = 1024**3


def mistakes(text: str) -> list[str]:
    with pytest.raises(Ds01Error) as caught:
        read(text, "limits.yaml")
    assert caught.value.kind is BAD_LIMITS_FILE
    assert caught.value.kind.exit is Exit.USAGE
    return caught.value.problem.reason.splitlines()


def test_the_whole_file_of_the_design_loads() -> None:
    settings = read(EXAMPLE, "/etc/ds01/limits.yaml")
    policy = settings.policy
    assert policy.defaults["gpus.max"] == Sourced(value=Fraction(1), source="limits.yaml:2")
    assert policy.defaults["memory"] == Sourced(value=32 * GIB, source="limits.yaml:5")
    assert policy.defaults["container_hold"] == Sourced(value=timedelta(days=7), source="limits.yaml:13")
    assert [group.name for group in policy.groups] == ["student", "researcher", "faculty", "admin"]
    student, researcher, _, admin = policy.groups
    assert student.members == {"*"}
    assert student.aggregate["pids"] == Sourced(value=12288, source="limits.yaml:38")
    assert researcher.unix_groups == {"phd", "staff"}
    assert researcher.layer["idle"] == Sourced(value=timedelta(hours=1), source="limits.yaml:20")
    assert admin.layer["gpus.max"] == Sourced(value=None, source="limits.yaml:23")
    assert admin.layer["admin"].value is True
    assert policy.users["alice@lab.lan"]["idle"] == Sourced(value=timedelta(hours=4), source="limits.yaml:25")
    assert policy.doors[Door.DEVCONTAINER]["idle"] == Sourced(value=None, source="limits.yaml:27")
    assert policy.exemptions[0].keys == {"idle", "runtime"}
    assert policy.exemptions[0].until == datetime(2026, 12, 20, 18, tzinfo=UTC)
    assert policy.exemptions[0].source == "limits.yaml:36"
    assert settings.lifecycle == LifecycleRules()
    assert settings.gpus.simulated[2] == "a100-40gb: 3g.20gb 2g.10gb 2g.10gb"
    assert settings.shares == ("/data/sets",)
    assert settings.source == "/etc/ds01/limits.yaml"


def test_every_value_read_carries_its_line() -> None:
    policy = read(EXAMPLE, "limits.yaml").policy
    lines = EXAMPLE.splitlines()
    layers = [("", policy.defaults), *((g.name, g.layer) for g in policy.groups), *policy.users.items()]
    for name, layer in layers:
        for key, item in layer.items():
            file, _, line = item.source.partition(":")
            assert file == "limits.yaml"
            written = lines[int(line) - 1]
            assert key.split(".")[-1] in written, (name, key, written)


def test_bases_of_the_file_extend_and_change_the_built_in_catalogue() -> None:
    images = read(EXAMPLE).images
    minimal, pytorch, tensorflow = images.bases
    assert (minimal.name, minimal.reference, minimal.description) == ("minimal", "ds01/minimal:latest", "ours")
    assert (pytorch.name, pytorch.reference, pytorch.cuda) == ("pytorch", "docker.io/pytorch/pytorch:2.5.1", "12.4")
    assert (pytorch.driver, pytorch.size_bytes) == ("", 0)
    assert tensorflow == Settings().images.bases[2]
    assert images.ca == "/etc/ssl/certs/lab.pem"
    assert images.build_env == {"HTTPS_PROXY": "http://proxy.lab:3128"}
    assert images.registries == ("docker.io", "registry.lab:5000")
    assert images.protected == ("ds01/*", "lab/*")


def test_a_base_with_a_digest_is_called_by_it() -> None:
    digest = "sha256:" + "d" * 64
    text = "images: {{bases: {{torch: {{reference: '{}', digest: '{}'}}}}}}\n"
    for reference in ("lab:5000/torch:2.5.1", "lab:5000/torch", f"lab:5000/torch@{digest}"):
        assert read(text.format(reference, digest)).images.bases[-1].reference == f"lab:5000/torch@{digest}"


@pytest.mark.parametrize("text", ["", "# nothing\n", "defaults:\n", "groups: {}\nusers:\nimages:\n  bases:\n"])
def test_empty_files_and_sections_are_the_built_in_limits(text: str) -> None:
    settings = read(text)
    assert settings.policy.defaults == {}
    assert settings.images == Settings().images


def test_no_file_is_the_built_in_limits_and_says_so(tmp_path: Path) -> None:
    assert load(tmp_path / "limits.yaml").source == "built-in"


def test_devices_are_read_and_what_nobody_is_given_is_told_with_its_place() -> None:
    found = read('defaults: {devices: none}\ngroups:\n  hpc: {devices: "/dev/infiniband/* /dev/kvm"}\n').policy
    assert found.defaults["devices"] == Sourced(value=(), source="limits.yaml:1")
    assert found.groups[0].layer["devices"] == Sourced(value=("/dev/infiniband/*", "/dev/kvm"), source="limits.yaml:3")
    wanted = "expected device files with spaces between like /dev/kvm /dev/infiniband/*, or none"
    assert mistakes("groups:\n  hpc: {devices: /dev/t*}\nusers:\n  bob: {devices: [/dev/kvm]}\n") == [
        f"limits.yaml:2:18 groups.hpc.devices: {wanted}; '/dev/t*' stands for /dev/tty as well, which is given to"
        " nobody: it opens the server's consoles and terminals",
        f"limits.yaml:4:18 users.bob.devices: {wanted}, not a list",
    ]


def test_addresses_for_ports_are_read_and_what_is_none_is_told_with_its_place() -> None:
    groups = "groups:\n  web: {publish: 10.20.0.5 10.20.1.5}\n  all: {publish: any}\n"
    found = read("defaults: {publish: loopback}\n" + groups)
    given = (found.policy.defaults["publish"], *(group.layer["publish"] for group in found.policy.groups))
    assert given == (
        Sourced(value=(), source="limits.yaml:1"),
        Sourced(value=("10.20.0.5", "10.20.1.5"), source="limits.yaml:3"),
        Sourced(value=("any",), source="limits.yaml:4"),
    )
    wanted = (
        "expected IPv4 addresses of this server with spaces between like 10.20.0.5, any for all of them, or loopback"
    )
    assert mistakes("groups:\n  web: {publish: 'fd00::5'}\nusers:\n  bob: {publish: 10}\n") == [
        f"limits.yaml:2:18 groups.web.publish: {wanted}; 'fd00::5' is no IPv4 address, and networks of users have no"
        " IPv6",
        f"limits.yaml:4:18 users.bob.publish: {wanted}; '10' is no IPv4 address",
    ]


def test_all_mistakes_are_told_at_once_in_order_with_place_and_nearest_key() -> None:
    told = mistakes(
        "defaults:\n"
        "  gpu: 2\n"
        "  idle: 30\n"
        "  idle: 4h\n"
        "groups:\n"
        "  student: {gpus: {maximum: 1}}\n"
        "aggregate: {students: {cpus: 0}}\n"
        "images: {bases: {mytorch: {}}}\n"
    )
    assert told == [
        "limits.yaml:2:3 defaults.gpu: no such key here; did you mean gpus?",
        "limits.yaml:3:9 defaults.idle: expected a duration like 30m, 24h or 7d, or null for no limit, not '30'",
        "limits.yaml:4:3 defaults.idle: is given twice, first on line 3",
        "limits.yaml:6:20 groups.student.gpus.maximum: no such key here; did you mean max?",
        "limits.yaml:7:13 aggregate.students: no such group; did you mean student?",
        "limits.yaml:7:30 aggregate.students.cpus: expected a number above 0, like 8 or 2.5, not '0'",
        "limits.yaml:8:18 images.bases.mytorch: a new base needs its image: reference: docker.io/library/python:3.12",
    ]


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("default: {}", "1:1 default", "did you mean defaults?"),
        ("idle: 30m", "1:1 idle", "belongs under defaults, groups.<group> or users.<login>"),
        ("defaults: {admin: true}", "1:12 defaults.admin", "would make everybody an admin"),
        ("defaults: {max_runtime_h: 3}", "1:12 defaults.max_runtime_h", "did you mean runtime?"),
        ("users: {bob: {max_gpu_equivalents: 3}}", "1:15 users.bob.max_gpu_equivalents", "did you mean gpus.max?"),
        ("defaults:\n  memory:\n  cpus: 2", "2:3 defaults.memory", "expected a size like 512M or 32G, not ''"),
        ("defaults: {lead: null}", "1:18 defaults.lead", "expected a duration like 30m, 24h or 7d, not null"),
        ("defaults: {cpus: [1]}", "1:18 defaults.cpus", "not a list"),
        ("defaults: {gpus: 2}", "1:18 defaults.gpus", "expected keys with values"),
        ("defaults: {memory: 1M}", "1:20 defaults.memory", "expected 6M or more, not 1M"),
        ("defaults: {idle: 5s}", "1:18 defaults.idle", "expected 1m or more, not 5s"),
        ("defaults: {idle: 99999999999999d}", "1:18 defaults.idle", "expected a duration"),
        ("defaults: {runtime: 9999d}", "1:21 defaults.runtime", "expected at most 3650d"),
        ("defaults: {memory: 99999999T}", "1:20 defaults.memory", "expected at most 1024T"),
        ("defaults: {pids: -1}", "1:18 defaults.pids", "expected a whole number"),
        ("defaults: {gpus: {mig: yes}}", "1:24 defaults.gpus.mig", "expected one of allowed, only, never, not 'yes'"),
        ("groups: {a: {members: '*'}}", "1:23 groups.a.members", "expected a list"),
        ("groups: {a: {admin: maybe}}", "1:21 groups.a.admin", "expected true or false, not 'maybe'"),
        ("doors: {dockr: {}}", "1:9 doors.dockr", "did you mean docker?"),
        ("doors: {docker: {cpus: 3}}", "1:18 doors.docker.cpus", "a door changes lifecycle limits only: runtime, idle"),
        ("doors: {docker: {idel: 3m}}", "1:18 doors.docker.idel", "did you mean idle?"),
        ("policy: {idle: {windw: 3m}}", "1:17 policy.idle.windw", "did you mean window?"),
        ("policy: {idle: {gpu_below: 5}}", "1:28 policy.idle.gpu_below", "expected a percentage like 5% or 80%"),
        ("policy: {busy: {above: 120%}}", "1:24 policy.busy.above", "expected a percentage"),
        ("exemptions: [{user: b, from: [memory], until: 2026-12-20T18:00Z, reason: x}]",
         "1:31 exemptions[0].from[0]", "'memory' cannot be lifted, only gpus.max"),
        ("exemptions: [{user: b, from: [idel], until: 2026-12-20T18:00Z, reason: x}]",
         "1:31 exemptions[0].from[0]", "did you mean idle?"),
        ("exemptions: [{user: b, from: [idle], until: 2026-12-20, reason: x}]",
         "1:45 exemptions[0].until", "expected a time with its zone like 2026-12-20T18:00Z"),
        ("exemptions: [{user: b, from: [idle], until: 2026-12-20T18:00Z}]",
         "1:14 exemptions[0]", "needs the key 'reason'"),
        ("gpus: {source: nvlm}", "1:16 gpus.source", "did you mean nvml?"),
        ("gpus: {simulated: [[x]]}", "1:20 gpus.simulated[0]", "expected a GPU like a100-40gb"),
        ("gpus: {simulated: [a10-40gb]}", "1:20 gpus.simulated[0]", "a100-40gb"),
        ("gpus: {simulated: ['a100-40gb: 4g.20gb 4g.20gb']}", "1:20 gpus.simulated[0]", "cannot be divided"),
        ("images: {ca: certs.pem}", "1:14 images.ca", "expected an absolute path"),
        ("images: {registries: ['http://x']}", "1:23 images.registries[0]", "expected a registry's host name"),
        ("images: {bases: {Py Torch: {reference: x}}}", "1:18 images.bases.Py Torch", "try py-torch"),
        ("shares: [/]", "1:10 shares[0]", "is no folder of shared data"),
        ("shares: [/data/../root]", "1:10 shares[0]", "expected an absolute path without '..'"),
        ("shares: [/home]", "1:10 shares[0]", "is no folder of shared data"),
        ("defaults: [1, 2]", "1:11 defaults", "expected keys with values"),
        ("groups: [student]", "1:9 groups", "expected names with keys below them"),
        ("notices: {mail: {user: ds01, password_file: /etc/ds01/mail}}", "1:17 notices.mail", "starttls or tls"),
        ("notices: {mail: {user: ds01, security: tls}}", "1:17 notices.mail", "needs a password_file"),
        ("? [a]\n: 1", "1:3", "a key must be plain text"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_and_what_was_expected(text: str, place: str, told: str) -> None:
    lines = mistakes(text)
    assert len(lines) == 1
    assert lines[0].startswith(f"limits.yaml:{place}")
    assert told in lines[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("defaults: {cpus: 8", "cannot be read as YAML: expected ',' or '}'"),
        ("defaults:\n\tcpus: 8", "2:1 cannot be read as YAML: found character '\\t'"),
        ("a: b: c", "1:5 cannot be read as YAML: mapping values are not allowed here"),
        ("defaults: {}\n---\ndefaults: {}", "2:1 cannot be read as YAML"),
        ("- one\n- two", "1:1 expected sections like 'defaults:'"),
        ("just words", "1:1 expected sections"),
        ("defaults: *nope", "1:11 cannot be read as YAML: found undefined alias"),
        ("users: &a {bob: *a}", "contains itself"),
        ("defaults: \x00", "is no YAML text"),
        ("[" * 600, "is nested too deeply"),
        ("x: " + "y" * 1024**2, "is larger than 1M"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_place(text: str, told: str) -> None:
    assert any(told in line for line in mistakes(text))


def test_aliases_of_aliases_are_refused_before_they_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert any("repeats itself too often" in line for line in mistakes("\n".join(lines)))


def test_a_file_that_is_not_text_or_not_readable_is_told_in_a_sentence(tmp_path: Path) -> None:
    binary, folder = tmp_path / "binary.yaml", tmp_path / "folder.yaml"
    binary.write_bytes(b"\xff\xfe")
    folder.mkdir()
    for path in (binary, folder):
        with pytest.raises(Ds01Error, match="cannot be read") as caught:
            load(path)
        assert str(path) in caught.value.problem.hint


def test_an_unquoted_gpu_with_instances_means_the_same_as_a_quoted_one() -> None:
    settings = read("gpus: {simulated: [a100-40gb: 3g.20gb 2g.10gb]}")
    assert settings.gpus.simulated == ("a100-40gb: 3g.20gb 2g.10gb",)
