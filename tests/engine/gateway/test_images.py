"""Images: pulled, named, removed, by several people from one engine."""

from __future__ import annotations

import base64
import bz2
import contextlib
import gzip
import hashlib
import io
import json
import lzma
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from dev import people, registry

from ds01.services.tickets import LATE_SECONDS
from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, PATIENCE_SECONDS, Ground, Reply, User, ask, connected, wait
from tests.engine.gateway.test_build import build, context, said
from tests.unit.dockerpolicy.test_tarhead import header

pytestmark = [pytest.mark.engine, pytest.mark.root]
CLIENTS = ["docker", OLD_CLIENT]
SMALL = {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]}


def layer(name: str, content: str) -> bytes:
    return context(**{name: content})


@pytest.fixture(autouse=True)
def tidy(field: Ground, victim: Victim) -> Iterator[None]:
    """Images a test leaves behind go, and what the registry learned."""
    before, tags = ids(field), tagged(field)
    yield
    for container in field.ids() - {victim.id}:
        field.root("DELETE", f"/containers/{container}?force=1")
    for image in ids(field) - before:
        field.root("DELETE", f"/images/{image}?force=1")
    for ref in tagged(field) - tags:
        field.root("DELETE", f"/images/{ref}")
    field.registry.manifests.clear()
    field.registry.delay = lambda: None


def ids(field: Ground) -> set[str]:
    return {row["Id"] for row in field.root("GET", "/images/json?all=1").json}


def tagged(field: Ground) -> set[str]:
    return {ref for row in field.root("GET", "/images/json").json for ref in row["RepoTags"] or ()} - {"<none>:<none>"}


def at_once(method: str, path: str, *users: User) -> list[Reply]:
    """The same request of several people in the same moment."""
    found: list[Reply] = []
    connections = [user.connect() for user in users]
    threads = [threading.Thread(target=lambda c=each: found.append(ask(c, method, path))) for each in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def there(field: Ground, ref: str) -> str:
    """The image the engine has under this name, as root sees it; empty when there is none."""
    found = field.root("GET", f"/images/{ref}/json")
    return str(found.json["Id"]) if found.status == 200 else ""


def alices(field: Ground, alice: User) -> str:
    """A name with a registry that alice has."""
    repo = f"{field.registry.host}/alices"
    assert alice.call("POST", f"/v1.41/images/{IMAGE}/tag?repo={repo}").status == 201
    return repo


def names(user: User, **query: str) -> set[str]:
    rows = user.call("GET", f"/v1.41/images/json?{urlencode(query)}").json
    return {name for row in rows for name in row["RepoTags"] or ()}


def pull(user: User, ref: str, **headers: str) -> Reply:
    name, _, tag = ref.rpartition(":")
    return user.call("POST", f"/v1.41/images/create?{urlencode({'fromImage': name, 'tag': tag})}", **headers)


def lines(reply: Reply) -> list[dict[str, Any]]:
    return [json.loads(line) for line in reply.body.splitlines() if line.strip()]


def login() -> str:
    found = {"username": registry.LOGIN, "password": registry.PASSWORD}
    return base64.urlsafe_b64encode(json.dumps(found).encode()).decode()


def busybox(field: Ground) -> bytes:
    """A layer that has a shell."""
    place = field.registry.folder / "busybox.tar"
    if not place.exists():
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name in ("bin/sh", "bin/cat", "bin/echo", "bin/sleep"):
                tar.add("/bin/busybox", name)
        place.write_bytes(buffer.getvalue())
    return place.read_bytes()


# pulling ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", CLIENTS)
def test_a_run_of_an_absent_image_pulls_it(mallory: User, field: Ground, client: str) -> None:
    field.registry.put("lab/tool", "1", SMALL, [busybox(field), layer("hello", "from the registry")])
    ref = f"{field.registry.host}/lab/tool:1"
    done = mallory.docker("run", "--rm", ref, "cat", "/hello", client=client)
    assert (done.code, done.out) == (0, "from the registry"), done.err
    assert "Pull complete" in done.err
    listed = mallory.docker("images", "--format", "{{.Repository}}:{{.Tag}}", client=client).out.split()
    assert ref in listed


@pytest.mark.parametrize("client", CLIENTS)
def test_pulls_by_tag_and_by_digest(mallory: User, field: Ground, client: str) -> None:
    digest = field.registry.put("lab/tool", "latest", SMALL, [layer("a", "1")])
    repo = f"{field.registry.host}/lab/tool"
    first = mallory.docker("pull", repo, client=client)
    assert first.code == 0, first.err
    assert "Downloaded newer image" in first.out
    assert "up to date" in mallory.docker("pull", repo, client=client).out
    assert mallory.docker("rmi", repo, client=client).code == 0
    assert there(field, f"{repo}:latest") == ""
    exact = mallory.docker("pull", f"{repo}@{digest}", client=client)
    assert exact.code == 0, exact.err
    seen = json.loads(mallory.docker("inspect", f"{repo}@{digest}", client=client).out)[0]
    assert seen["RepoDigests"] == [f"{repo}@{digest}"]
    assert seen["RepoTags"] == []
    assert mallory.docker("rmi", f"{repo}@{digest}", client=client).code == 0


@pytest.mark.parametrize("client", CLIENTS)
def test_an_absent_tag_is_absent_as_with_docker(mallory: User, field: Ground, client: str) -> None:
    done = mallory.docker("pull", f"{field.registry.host}/lab/none:1", client=client)
    assert done.code == 1
    assert "manifest" in done.err
    assert mallory.call("GET", "/v1.41/images/none/json").json == {"message": "No such image: none:latest"}


def test_what_anybody_pulled_is_everybodys(mallory: User, alice: User, field: Ground) -> None:
    field.registry.put("lab/tool", "1", SMALL, [layer("a", "2")])
    ref = f"{field.registry.host}/lab/tool:1"
    assert pull(alice, ref).status == 200
    assert ref in names(mallory)
    assert mallory.call("GET", f"/v1.41/images/{ref}/json").status == 200
    assert mallory.create("uses", Image=ref).status == 201


def test_what_was_pulled_with_a_password_is_not(mallory: User, alice: User, field: Ground) -> None:
    field.registry.put("private/model", "1", SMALL, [layer("weights", "secret")])
    ref = f"{field.registry.host}/private/model:1"
    assert "errorDetail" in pull(mallory, ref).body.decode() or pull(mallory, ref).status >= 400
    assert pull(alice, ref, X_Registry_Auth=login()).status == 200
    assert ref in names(alice)
    assert alice.call("GET", f"/v1.41/images/{ref}/json").status == 200
    image = there(field, ref)
    for _ in range(2):
        for name in (ref, image, image[7:19]):
            assert mallory.call("GET", f"/v1.41/images/{name}/json").status == 404
            assert mallory.create("", Image=name).status == 404
        assert ref not in names(mallory)
        time.sleep(LATE_SECONDS + 2)  # what her failed pull may have left has been looked at once more then
    assert pull(mallory, ref, X_Registry_Auth=login()).status == 200
    assert ref in names(mallory)
    log = field.log("ds01-gateway") + field.log("ds01d")
    assert registry.PASSWORD not in log
    assert login() not in log


@pytest.mark.parametrize("client", CLIENTS)
def test_a_search_asks_the_registry_in_the_term(mallory: User, field: Ground, client: str) -> None:
    field.registry.put("lab/sought", "1", SMALL, [busybox(field)])
    done = mallory.docker("search", "--format", "{{.Name}}", f"{field.registry.host}/sought", client=client)
    assert done.code == 0, done.err
    assert done.out.split() == ["lab/sought"]


@pytest.mark.parametrize(
    "ref", ["127.0.0.1:1/x:1", "10.0.0.1/x:1", "169.254.169.254/latest:1", "localhost:5000/x:1", "busybox:1", "me/x:1"]
)
def test_d25_registries_that_are_not_in_the_limits_file(mallory: User, field: Ground, ref: str) -> None:
    assert pull(mallory, ref).status == 403
    assert mallory.call("GET", f"/v1.41/distribution/{ref}/json").status == 403
    term = ref.rpartition(":")[0]
    assert mallory.call("GET", f"/v1.41/images/search?{urlencode({'term': term})}").status == 403


def test_d20_a_pull_writes_over_nothing_protected_and_takes_nothing_from_anybody(
    mallory: User, alice: User, field: Ground, victim: Victim
) -> None:
    host = field.registry.host
    field.registry.put("guarded/base", "1", SMALL, [layer("a", "evil")])
    assert pull(mallory, f"{host}/guarded/base:1").status == 403
    field.registry.put("lab/tool", "1", SMALL, [layer("a", "the registry's")])
    ref = f"{host}/lab/tool:1"
    assert alice.call("POST", f"/v1.41/images/{victim.image}/tag?repo={host}/lab/tool&tag=1").status == 201
    pulled = pull(mallory, ref)
    assert pulled.status == 200
    assert b"alice" not in pulled.body
    assert there(field, ref) != there(field, victim.image)
    assert mallory.call("GET", f"/v1.41/images/{ref}/json").json["Id"] == there(field, ref)
    assert alice.call("GET", f"/v1.41/images/{ref}/json").json["Id"] == there(field, victim.image)
    assert ref in names(alice) & names(mallory)


def test_d20_a_base_is_fetched_by_whoever_builds_on_it_first_and_moved_by_nobody(
    mallory: User, alice: User, field: Ground
) -> None:
    ref = f"{field.registry.host}/bases/lab:1"
    field.registry.put("bases/lab", "1", SMALL, [layer("a", "the base")])
    assert pull(alice, ref).status == 200
    first = there(field, ref)
    assert first
    assert ref in names(mallory)
    field.registry.put("bases/lab", "1", SMALL, [layer("a", "another one")])
    assert pull(mallory, ref).status == 403
    repo = ref.rpartition(":")[0]
    assert mallory.call("POST", f"/v1.41/images/ds01/tiny/tag?repo={repo}&tag=1").status == 403
    assert mallory.call("DELETE", f"/v1.41/images/{ref}").status >= 400
    assert there(field, ref) == first


def test_d17_pulls_are_few_at_a_time_and_end_with_their_client(mallory: User, alice: User, field: Ground) -> None:
    waiting, go = threading.Semaphore(0), threading.Event()

    def slow() -> None:
        waiting.release()
        go.wait(PATIENCE_SECONDS)

    field.registry.delay = slow
    connections = []
    for number in range(3):
        field.registry.put("lab/slow", str(number), SMALL, [layer("a", f"slow {number}")])
        sock = mallory.connect()
        path = f"/v1.41/images/create?fromImage={field.registry.host}/lab/slow&tag={number}"
        sock.sendall(f"POST {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
        connections.append(sock)
        assert waiting.acquire(timeout=PATIENCE_SECONDS)
    assert pull(mallory, f"{field.registry.host}/lab/slow:0").status == 429
    for sock in connections:
        sock.close()
    go.set()
    field.registry.put("lab/tool", "1", SMALL, [layer("a", "3")])
    wait(lambda: pull(mallory, f"{field.registry.host}/lab/tool:1").status == 200)


def test_two_pull_one_image_at_once(mallory: User, alice: User, field: Ground) -> None:
    field.registry.put("lab/tool", "1", SMALL, [busybox(field), layer("a", "at once")])
    ref = f"{field.registry.host}/lab/tool:1"
    name, _, tag = ref.rpartition(":")
    found = at_once("POST", f"/v1.41/images/create?{urlencode({'fromImage': name, 'tag': tag})}", mallory, alice)
    assert [reply.status for reply in found] == [200, 200]
    assert not [line for reply in found for line in lines(reply) if "errorDetail" in line]


# names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", CLIENTS)
def test_tags_as_users_know_them(mallory: User, field: Ground, client: str) -> None:
    assert mallory.docker("tag", IMAGE, "mine", client=client).code == 0
    assert mallory.docker("tag", "mine", "mine:2", client=client).code == 0
    assert {"mine:latest", "mine:2"} <= names(mallory)
    assert mallory.docker("run", "--rm", "mine:2", "echo", "hi", client=client).out == "hi\n"
    gone = mallory.docker("rmi", "mine:2", client=client)
    assert gone.out == "Untagged: mine:2\n"
    assert mallory.call("DELETE", "/v1.41/images/mine").json == [{"Untagged": "mine:latest"}]
    missing = mallory.docker("rmi", "mine", client=client)
    assert "No such image: mine" in missing.err
    assert there(field, f"{IMAGE}:latest")


def test_d20_names_of_others_and_protected_ones(mallory: User, alice: User, field: Ground, victim: Victim) -> None:
    hers = alices(field, alice)
    before = {ref: there(field, ref) for ref in (f"{IMAGE}:latest", victim.image, hers)}
    for repo, status in (("ds01/tiny", 403), ("guarded/x", 403), (f"ds01-{alice.uid}/x", 403),
                         ("docker.io/ds01/tiny", 403), ("Bad", 400), ("", 400)):  # fmt: skip
        found = mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?{urlencode({'repo': repo, 'tag': 'latest'})}")
        assert found.status == status, (repo, found.body)
        assert "alice" not in found.message.replace(hers, "")
    assert mallory.call("POST", f"/v1.41/images/{hers}/tag?repo=mine").status == 404
    assert there(field, "mine") == ""
    for name in (victim.image, hers):
        assert mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo={name}").status == 201
        assert {ref: there(field, ref) for ref in before} == before
        assert mallory.call("GET", f"/v1.41/images/{name}/json").json["Id"] == there(field, IMAGE)


@pytest.mark.parametrize("registry", [False, True], ids=["local", "with a registry"])
def test_d19_d20_in_a_race_for_one_name_everybody_has_her_own(
    mallory: User, alice: User, field: Ground, registry: bool
) -> None:
    repo = f"{field.registry.host}/contested" if registry else "contested"
    ref, own = f"{repo}:1", repo.replace(":", ".port__")
    found = at_once("POST", f"/v1.41/images/{IMAGE}/tag?repo={repo}&tag=1", *(mallory, alice) * 5)
    assert [reply.status for reply in found] == [201] * 10
    apart = {user.uid for user in (mallory, alice) if there(field, f"ds01-u{user.uid}/{own}:1")}
    assert len(apart) == 1
    assert there(field, ref)
    for user in (mallory, alice):
        assert ref in names(user)
        assert user.call("DELETE", f"/v1.41/images/{ref}").json == [{"Untagged": ref}]
        assert ref not in names(user)
    assert not {ref for ref in tagged(field) if "contested" in ref}


def test_names_of_ones_own_outlive_ds01d_and_the_gateway(mallory: User, alice: User, field: Ground) -> None:
    for user, what in ((alice, "of alice"), (mallory, "of mallory")):
        query = urlencode({"fromSrc": "-", "repo": "kept", "tag": "1"})
        assert user.call("POST", f"/v1.41/images/create?{query}", layer("who", what)).status == 200
    before = {user.uid: user.call("GET", "/v1.41/images/kept:1/json").json["Id"] for user in (alice, mallory)}
    assert len(set(before.values())) == 2
    field.stop("ds01-gateway")
    field.stop("ds01d")
    field.start()
    for user in (alice, mallory):
        assert "kept:1" in names(user)
        assert user.call("GET", "/v1.41/images/kept:1/json").json["Id"] == before[user.uid]
        assert user.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=kept&tag=1").status == 201
        assert user.call("GET", "/v1.41/images/kept:1/json").json["Id"] == there(field, IMAGE)


def test_o21_d23_images_of_others_are_absent(mallory: User, field: Ground, victim: Victim) -> None:
    image = there(field, victim.image)
    nowhere = mallory.call("GET", f"/v1.41/images/{'0' * 64}/json")
    for name in (victim.image, image, image[7:], image[7:19], image[7:11]):
        for path in ("json", "history", "attestations"):
            found = mallory.call("GET", f"/v1.41/images/{name}/{path}")
            assert found.status == 404
            assert found.message.startswith("No such image: ")
        assert mallory.call("DELETE", f"/v1.41/images/{name}?force=1").status == 404
    assert nowhere.status == 404
    assert victim.image + ":latest" not in names(mallory, all="1")
    assert names(mallory, filters=json.dumps({"reference": ["alice/*"]})) == set()
    assert there(field, victim.image) == image


def test_a_name_of_anothers_on_an_image_of_ones_own_is_not_shown(mallory: User, alice: User, field: Ground) -> None:
    """Both have the same image under names of their own."""
    assert alice.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=alice-only&tag=1").status == 201
    assert mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=mallorys&tag=1").status == 201
    assert "alice-only:1" not in names(mallory)
    assert mallory.call("GET", "/v1.41/images/alice-only:1/json").status == 404
    seen = mallory.call("GET", "/v1.41/images/mallorys:1/json").json
    assert sorted(seen["RepoTags"]) == ["ds01/tiny:latest", "mallorys:1"]
    rows = mallory.call("GET", "/v1.41/images/mallorys:1/history").json
    assert not [tag for row in rows for tag in row["Tags"] or () if "alice" in tag]
    assert mallory.call("GET", f"/v1.41/images/json?{urlencode({'filters': json.dumps({'reference': ['alice-only']})})}"
                        ).json == []  # fmt: skip
    assert mallory.create("x", Image="alice-only:1").status == 404


# removing -----------------------------------------------------------------------------------------


def test_d19_what_is_shared_or_anothers_stays(mallory: User, alice: User, field: Ground, victim: Victim) -> None:
    tiny = there(field, IMAGE)
    for name, status in ((IMAGE, 403), (tiny, 403), (tiny[7:19], 403), (victim.image, 404)):
        for force in ("0", "1"):
            assert mallory.call("DELETE", f"/v1.41/images/{name}?force={force}").status == status
    field.registry.put("lab/tool", "1", SMALL, [layer("a", "4")])
    ref = f"{field.registry.host}/lab/tool:1"
    assert pull(alice, ref).status == 200
    assert mallory.call("DELETE", f"/v1.41/images/{ref}?force=1").status == 403
    assert there(field, ref)


def test_what_two_have_pulled_goes_with_the_last(mallory: User, alice: User, field: Ground) -> None:
    field.registry.put("lab/tool", "1", SMALL, [layer("a", "5")])
    ref = f"{field.registry.host}/lab/tool:1"
    assert [pull(user, ref).status for user in (alice, mallory)] == [200, 200]
    first = alice.call("DELETE", f"/v1.41/images/{ref}")
    assert (first.status, first.json) == (200, [{"Untagged": ref}])
    assert there(field, ref)
    last = mallory.call("DELETE", f"/v1.41/images/{ref}").json
    assert {"Untagged": ref} in last
    assert any("Deleted" in row for row in last)
    assert there(field, ref) == ""


def test_an_image_anothers_container_runs_stays(mallory: User, alice: User, field: Ground) -> None:
    field.registry.put("lab/tool", "1", {"Cmd": ["/bin/sleep", "1000"]}, [busybox(field)])
    ref = f"{field.registry.host}/lab/tool:1"
    assert pull(alice, ref).status == 200
    assert mallory.create("uses", Image=ref).status == 201
    image = there(field, ref)
    assert alice.call("DELETE", f"/v1.41/images/{ref}?force=1").json == [{"Untagged": ref}]
    assert there(field, ref) == image
    assert mallory.call("POST", "/v1.41/containers/uses/start").status == 204


def test_an_image_ones_own_container_uses_is_kept_as_with_docker(mallory: User, field: Ground) -> None:
    field.registry.put("lab/tool", "1", SMALL, [layer("a", "6")])
    ref = f"{field.registry.host}/lab/tool:1"
    assert pull(mallory, ref).status == 200
    made = mallory.create("uses", Image=ref).json["Id"]
    refused = mallory.call("DELETE", f"/v1.41/images/{ref}")
    assert refused.status == 409
    assert f"container {made[:12]} is using its referenced image" in refused.message
    forced = mallory.call("DELETE", f"/v1.41/images/{ref}?force=1")
    assert (forced.status, forced.json[0]) == (200, {"Untagged": ref})
    assert mallory.call("GET", f"/v1.41/images/{there(field, ref) or 'none'}/json").status == 404


def test_an_image_with_several_names_wants_force_by_id(mallory: User, field: Ground) -> None:
    field.registry.put("lab/tool", "1", SMALL, [layer("a", "7")])
    ref = f"{field.registry.host}/lab/tool:1"
    assert pull(mallory, ref).status == 200
    assert mallory.call("POST", f"/v1.41/images/{ref}/tag?repo=other").status == 201
    image = there(field, ref)
    refused = mallory.call("DELETE", f"/v1.41/images/{image}")
    assert refused.status == 409
    assert "must be forced" in refused.message
    gone = mallory.call("DELETE", f"/v1.41/images/{image}?force=1")
    assert gone.status == 200
    assert {"Untagged": "other:latest"} in gone.json
    assert there(field, image) == ""
    assert pull(mallory, ref).status == 200


def test_o12_c17_a_name_like_anothers_short_id_takes_nothing(mallory: User, alice: User, field: Ground) -> None:
    field.registry.put("private/model", "1", SMALL, [layer("weights", "secret 2")])
    ref = f"{field.registry.host}/private/model:1"
    assert pull(alice, ref, X_Registry_Auth=login()).status == 200
    short = there(field, ref)[7:19]
    assert mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo={short}").status == 201
    assert alice.call("GET", f"/v1.41/images/{short}/json").json["RepoTags"] == [ref]
    assert alice.create("", Image=short).status == 201


def test_p6_forms_do_not_name_images(mallory: User, field: Ground) -> None:
    found = mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=formed", b"repo=ds01/tiny",
                         Content_Type="application/x-www-form-urlencoded")  # fmt: skip
    assert found.status == 415
    assert there(field, "formed") == ""


# archives -----------------------------------------------------------------------------------------


def packed(entries: list[dict[str, Any]], /, **files: bytes) -> bytes:
    """An archive of images with this list; in names of files ``__`` is ``/`` and ``_dot_`` is ``.``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        listed = {"manifest.json": json.dumps(entries).encode()} if entries else {}
        named = {name.replace("__", "/").replace("_dot_", "."): content for name, content in files.items()}
        for name, content in (named | listed).items():
            found = tarfile.TarInfo(name)
            found.size = len(content)
            tar.addfile(found, io.BytesIO(content))
    return buffer.getvalue()


def config(*layers: bytes) -> bytes:
    digests = [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in layers]
    return json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]},
                       "rootfs": {"type": "layers", "diff_ids": digests},
                       "history": [{"created_by": "x"} for _ in layers]}).encode()  # fmt: skip


def load(user: User, body: bytes) -> Reply:
    return user.call("POST", "/v1.41/images/load?quiet=1", body, Content_Type="application/x-tar")


def archive(*refs: str, content: str = "loaded") -> bytes:
    one = layer("file", content)
    return packed([{"Config": "c.json", "RepoTags": [*refs] or None, "Layers": ["l/layer.tar"]}],
                  c_dot_json=config(one), l__layer_dot_tar=one)  # fmt: skip


@pytest.mark.parametrize("client", CLIENTS)
def test_save_and_load_as_users_know_them(mallory: User, field: Ground, client: str) -> None:
    for name in ("mine:1", "mine:2"):
        assert mallory.docker("tag", IMAGE, name, client=client).code == 0
    for arguments in (["mine:1"], ["mine"], ["mine:1", "mine:2"]):
        out = mallory.home / "saved.tar"
        out.unlink(missing_ok=True)
        assert mallory.docker("save", "-o", str(out), *arguments, client=client).code == 0
    assert mallory.docker("rmi", "mine:1", "mine:2", client=client).code == 0
    done = mallory.docker("load", "-i", str(out), client=client)
    assert done.code == 0, done.err
    assert set(done.out.split("\n")) >= {"Loaded image: mine:1", "Loaded image: mine:2"}
    assert {"mine:1", "mine:2"} <= names(mallory)
    subprocess.run(["gzip", "-f", str(out)], check=True)
    assert mallory.docker("load", "-q", "-i", f"{out}.gz", client=client).out.startswith("Loaded image: mine:")


def test_an_archive_without_names_is_hers_too(mallory: User, alice: User, field: Ground) -> None:
    found = load(mallory, archive(content="nameless"))
    assert found.status == 200
    image = lines(found)[0]["stream"].removeprefix("Loaded image ID: ").strip()
    assert mallory.call("GET", f"/v1.41/images/{image}/json").status == 200
    assert alice.call("GET", f"/v1.41/images/{image}/json").status == 404
    assert mallory.create("", Image=image).status == 201


@pytest.mark.parametrize("how", [gzip.compress, bz2.compress, lzma.compress, lambda d: gzip.compress(d[:600]) +
                                 gzip.compress(d[600:])])  # fmt: skip
def test_compressed_archives_load(mallory: User, field: Ground, how: Callable[[bytes], bytes]) -> None:
    found = load(mallory, how(archive("packed:1", content=str(how))))
    assert found.status == 200, found.body
    assert "packed:1" in names(mallory)


def saying(size: int, *refs: str, **more: Any) -> bytes:
    """An archive of one image whose labels are so long."""
    found = json.loads(config())
    found["config"] |= {"Labels": {"a": "x" * size}, **more}
    return packed(
        [{"Config": "c.json", "RepoTags": [*refs] or None, "Layers": []}], c_dot_json=json.dumps(found).encode()
    )


@pytest.mark.parametrize("refs", [("heavy:1",), ()])
@pytest.mark.parametrize(
    ("size", "more", "why"),
    [
        (80_000, {}, "labels are longer than 64K"), (9, {"Env": ["A=" + "x" * 40_000]}, "variables is longer"),
        (9, {"OnBuild": [f"ENV a{n}=$a{n - 1}$a{n - 1}" for n in range(1, 41)]}, "ONBUILD"),
    ],
)  # fmt: skip
def test_e33_an_image_that_says_too_much_goes_again(
    mallory: User, field: Ground, refs: tuple[str, ...], size: int, more: dict[str, Any], why: str
) -> None:
    before = ids(field)
    found = load(mallory, saying(size, *refs, **more))
    assert why in lines(found)[-1]["error"]
    assert "(image.heavy)" in lines(found)[-1]["error"]
    assert ids(field) == before


def test_e33_neither_a_commit_nor_a_build_makes_one(mallory: User, field: Ground) -> None:
    container = mallory.create("", Labels={"a": "x" * 60_000}).json["Id"]
    before = ids(field)
    assert mallory.create("", Labels={"a": "x" * 70_000}).status == 400
    body = {"Labels": {"b": "x" * 60_000}}
    made = mallory.call("POST", f"/v1.41/commit?container={container}&repo=heavy&tag=1", body)
    assert (made.status, "image.heavy" in made.message) == (400, True)
    heavy = context(Dockerfile=f"FROM {IMAGE}\nLABEL a=" + "x" * 70_000)
    built = mallory.call("POST", "/v1.41/build?t=heavy:2", heavy, Content_Type="application/x-tar")
    assert "build.grown" in built.body.decode()
    assert ids(field) == before


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    "trigger",
    ["COPY --from={0} / /x", "COPY \\\n--from={0} / /x", "COPY --chown=0:0 \\\n\n\t--from={1} / /x",
     "CO\\\nPY --from={0} / /x", "COPY \\\n# why\n--from={0} / /x"],
)  # fmt: skip
def test_d23_a_trigger_of_a_loaded_image_takes_nothing_of_others(
    mallory: User, field: Ground, victim: Victim, trigger: str, version: str
) -> None:
    one = layer("file", trigger)
    found = json.loads(config(one))
    found["config"]["OnBuild"] = [trigger.format(victim.image, there(field, victim.image).removeprefix("sha256:"))]
    files = {"c_dot_json": json.dumps(found).encode(), "l__layer_dot_tar": one}
    listed = [{"Config": "c.json", "RepoTags": ["triggers:1"], "Layers": ["l/layer.tar"]}]
    assert "triggers:1" in said(load(mallory, packed(listed, **files)))
    reply = build(mallory, context(Dockerfile="FROM triggers:1\n"), t="stolen:1", version=version)
    assert reply.status in (400, 403), said(reply)
    assert there(field, "stolen:1") == ""


@pytest.mark.parametrize("own", [False, True])
def test_o13_the_classic_builder_takes_no_layer_of_others_for_what_a_base_runs(
    mallory: User, field: Ground, own: bool
) -> None:
    """It does that before the label that keeps layers of users apart."""
    one = layer("file", "runs")
    found = json.loads(config(one))
    found["config"] |= {"OnBuild": ["RUN true"], "Labels": {"ds01.owner": str(mallory.uid if own else 1)}}
    files = {"c_dot_json": json.dumps(found).encode(), "l__layer_dot_tar": one}
    listed = [{"Config": "c.json", "RepoTags": ["runs:1"], "Layers": ["l/layer.tar"]}]
    assert "runs:1" in said(load(mallory, packed(listed, **files)))
    text = context(Dockerfile="FROM runs:1\n")
    for query in ({}, {"cachefrom": '["runs:1"]'}, {"nocache": "0"}):
        refused = build(mallory, text, t="ran:1", version="1", **query)
        assert (refused.status, "--no-cache" in refused.message) == (400, True), refused.body
        assert there(field, "ran:1") == ""
    assert "(build.onbuild)" not in said(build(mallory, text, t="ran:1", version="1", nocache="1"))
    assert "(build.onbuild)" not in said(build(mallory, text, t="ran:1", version="2"))


def test_d16_a_long_command_comes_into_nobodys_list(mallory: User, field: Ground) -> None:
    """The engine would list it to everybody, each time somebody lists."""
    before = field.ids()
    assert "long:1" in said(load(mallory, saying(9, "long:1", Entrypoint=["x" * 30_000] * 7)))
    for asked in ({"Cmd": ["x" * 30_000] * 32}, {"Image": "long:1", "Cmd": ["x" * 60_000]}):
        refused = mallory.create("", **asked)
        assert (refused.status, "(create.command)" in refused.message) == (400, True)
    assert field.ids() == before
    assert mallory.create("", Image="long:1", Cmd=["sleep"]).status == 201


def test_e33_heavy_images_of_others_keep_nobody_from_hers(mallory: User, alice: User, field: Ground) -> None:
    """What is there already, 36 MB of labels, is read past."""
    several = [json.loads(config()) for _ in range(40)]
    for number, each in enumerate(several):
        each["config"] |= {"Labels": {"a": "x" * 900_000, "b": str(number)}}
    files = {f"c{number}_dot_json": json.dumps(each).encode() for number, each in enumerate(several)}
    listed: list[dict[str, Any]] = [
        {"Config": f"c{number}.json", "RepoTags": None, "Layers": []} for number in range(40)
    ]
    kind = {"Content-Type": "application/x-tar"}
    loaded = ask(connected(field.engine.socket), "POST", "/images/load", packed(listed, **files), kind)
    assert loaded.status == 200, loaded.body
    hers = alices(field, alice)
    assert len(field.root("GET", "/images/json").body) > 32 * 1024 * 1024
    done = alice.docker("images", "-a", "--format", "{{.Repository}}:{{.Tag}}")
    assert done.code == 0, done.err
    assert f"{hers}:latest" in done.out.split()
    assert alice.docker("info").code == 0
    assert alice.docker("image", "prune", "-f").code == 0


def test_d20_a_load_writes_over_nothing_protected_or_anothers(
    mallory: User, alice: User, field: Ground, victim: Victim
) -> None:
    hers = alices(field, alice)
    before = {ref: there(field, ref) for ref in (f"{IMAGE}:latest", f"{victim.image}:latest", hers)}
    evil = layer("evil", "x")
    files = {"c_dot_json": config(evil), "l__layer_dot_tar": evil}
    one = {"Config": "c.json", "Layers": ["l/layer.tar"]}
    old = json.dumps({"ds01/tiny": {"latest": "l"}}).encode()
    index = json.dumps({"schemaVersion": 2, "manifests": [
        {"annotations": {"io.containerd.image.name": "docker.io/ds01/tiny:latest"}}]}).encode()  # fmt: skip
    for status, body in (
        (403, packed([{**one, "RepoTags": ["ds01/tiny:latest"]}], **files)),
        (403, packed([{**one, "RepoTags": ["docker.io/ds01/tiny:latest"]}], **files)),
        (200, packed([{**one, "RepoTags": ["mine:1", hers]}], **files)),
        (200, packed([{**one, "RepoTags": [victim.image]}], **files)),
        (400, packed([{**one, "RepoTags": ["Bad"]}], **files)),
        (403, packed([{**one, "RepoTags": ["mine:1"]}, {**one, "RepoTags": ["guarded/x:1"]}], **files)),
        (200, packed([{**one, "RepoTags": ["mine:1"]}], repositories=old, index_dot_json=index, **files)),
        (400, packed([], repositories=old, **files)),
        (400, packed([{**one, "Config": "../c.json", "RepoTags": ["mine:2"]}], **files)),
        (400, packed([{**one, "config": "d.json", "RepoTags": ["mine:2"]}], **files)),
        (400, b"\0" * 1024),
        (400, gzip.compress(packed([{**one, "RepoTags": ["mine:2"]}], **files))[:-20]),
    ):
        found = load(mallory, body)
        assert status == (400 if b"errorDetail" in found.body else found.status)
        assert {ref: there(field, ref) for ref in before} == before
    assert "mine:1" in names(mallory)
    assert there(field, "mine:2") == ""


def test_d20_a_list_in_every_disguise_is_the_one_that_was_judged(mallory: User, field: Ground) -> None:
    before = there(field, f"{IMAGE}:latest")
    evil = layer("evil", "y")
    good = [{"Config": "c.json", "RepoTags": ["mine:1"], "Layers": ["l/layer.tar"]}]
    bad = json.dumps([{"Config": "c.json", "RepoTags": ["ds01/tiny:latest"], "Layers": ["l/layer.tar"]}]).encode()

    def made(*extra: tuple[str, bytes, dict[str, Any]]) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, content, more in (
                ("c.json", config(evil), {}), ("l/layer.tar", evil, {}),
                ("manifest.json", json.dumps(good).encode(), {}), *extra,
            ):  # fmt: skip
                found = tarfile.TarInfo(name)
                for key, value in more.items():
                    setattr(found, key, value)
                found.size = len(content)
                tar.addfile(found, io.BytesIO(content))
        return buffer.getvalue()

    disguises: list[list[tuple[str, bytes, dict[str, Any]]]] = [
        [("manifest.json", bad, {})],
        [("./manifest.json", bad, {})],
        [("other", bad, {"pax_headers": {"path": "manifest.json"}})],
        [("manifest.json", b"", {"pax_headers": {"path": "x"}}), ("y", bad, {})],
        [("manifest.json", b"", {"type": tarfile.SYMTYPE, "linkname": "bad"}), ("bad", bad, {})],
        [("bad", bad, {}), ("manifest.json", b"", {"type": tarfile.LNKTYPE, "linkname": "bad"})],
        [("d", b"", {"type": tarfile.SYMTYPE, "linkname": "."}), ("d/manifest.json", bad, {})],
        [("x/../manifest.json", bad, {})],
    ]
    for extra in disguises:
        load(mallory, made(*extra))
        assert there(field, f"{IMAGE}:latest") == before


@pytest.mark.parametrize("client", CLIENTS)
def test_import_as_users_know_it(mallory: User, field: Ground, client: str) -> None:
    tar = mallory.home / "files.tar"
    tar.write_bytes(busybox(field))
    done = mallory.docker("import", "--change", 'CMD ["/bin/echo", "hi"]', "--change", "LABEL a=b ds01.owner.uid=1",
                          "-m", "mine", str(tar), "imported:1", client=client)  # fmt: skip
    assert done.code == 0, done.err
    assert mallory.docker("run", "--rm", "imported:1", client=client).out == "hi\n"
    labels = field.root("GET", "/images/imported:1/json").json["Config"]["Labels"]
    assert labels["a"] == "b"
    assert labels["ds01.owner.uid"] == str(mallory.uid)


def test_d20_d25_imports_that_may_not_be(mallory: User, alice: User, field: Ground, victim: Victim) -> None:
    hers = alices(field, alice)
    before = there(field, f"{IMAGE}:latest"), there(field, victim.image), there(field, hers)
    body = layer("a", "b")
    for status, query in (
        (403, {"fromSrc": "http://169.254.169.254/latest"}), (403, {"fromSrc": "https://docker.io/x"}),
        (403, {"fromSrc": "/etc/passwd"}), (403, {"fromSrc": "-", "repo": "ds01/tiny"}),
        (200, {"fromSrc": "-", "repo": hers}), (200, {"fromSrc": "-", "repo": victim.image}),
        (400, {"fromSrc": "-", "repo": "a", "tag": "b/c"}),
        (400, {"fromSrc": "-", "fromImage": "x"}), (400, {}),
        (400, {"fromSrc": "-", "repo": "swallow", "changes": "ENV A=b \\"}),
        (400, {"fromSrc": "-", "repo": "swallow", "changes": "RUN id"}),
        (400, {"fromSrc": "-", "repo": "swallow", "changes": "# escape=`"}),
    ):  # fmt: skip
        assert mallory.call("POST", f"/v1.41/images/create?{urlencode(query)}", body).status == status, query
    assert (there(field, f"{IMAGE}:latest"), there(field, victim.image), there(field, hers)) == before
    assert there(field, "swallow") == ""


# commit -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", CLIENTS)
def test_commit_as_users_know_it(mallory: User, field: Ground, client: str) -> None:
    assert mallory.docker("run", "--name", "work", IMAGE, "sh", "-c", "echo new > /tmp/file", client=client).code == 0
    done = mallory.docker("commit", "-a", "me", "-m", "why", "--change", 'CMD ["cat", "/tmp/file"]', "work", "kept:1",
                          client=client)  # fmt: skip
    assert done.code == 0, done.err
    assert mallory.docker("run", "--rm", "kept:1", client=client).out == "new\n"
    nameless = mallory.docker("commit", "work", client=client).out.strip()
    assert nameless.startswith("sha256:")
    assert mallory.docker("run", "--rm", nameless, "true", client=client).code == 0


def test_g15_s5_a_commit_speaks_for_nobody_else(mallory: User, field: Ground, victim: Victim) -> None:
    made = mallory.create("work", Cmd=["true"]).json["Id"]
    body = {
        "Labels": {"ds01.owner.uid": "1", "DS01.Lease": "x", "mine": "y"},
        "Env": ["A=b", "NVIDIA_VISIBLE_DEVICES=all"],
    }
    query = urlencode({"container": "work", "repo": "kept", "changes": "LABEL ds01.lease=lease-1"})
    assert mallory.call("POST", f"/v1.41/commit?{query}", body).status == 201
    config = field.root("GET", "/images/kept/json").json["Config"]
    told = {key: value for key, value in config["Labels"].items() if value}
    place = mallory.folder("kept")
    (place / "Dockerfile").write_text(f"FROM {IMAGE}\n")
    assert mallory.docker("build", "-t", "kept:built", str(place)).code == 0
    seal = field.root("GET", "/images/kept:built/json").json["Config"]["Labels"]["ds01.seal"]
    assert told == {"ds01.owner.uid": str(mallory.uid), "ds01.owner.epoch": "1", "ds01.seal": seal, "mine": "y"}
    assert "NVIDIA_VISIBLE_DEVICES=all" not in config["Env"]
    again = mallory.create("again", Image="kept").json["Id"]
    seen = field.seen(again)["Config"]
    assert seen["Labels"]["ds01.lease"] == ""
    assert "NVIDIA_VISIBLE_DEVICES=void" in seen["Env"]
    assert made != again


def test_o7_d20_commits_that_may_not_be(mallory: User, alice: User, field: Ground, victim: Victim) -> None:
    mallory.create("work", Cmd=["true"])
    hers = alices(field, alice)
    before = there(field, f"{IMAGE}:latest"), there(field, victim.image), there(field, hers)
    for status, query in (
        (404, {"container": victim.id, "repo": "stolen"}), (404, {"container": victim.id[:12], "repo": "stolen"}),
        (403, {"container": "work", "repo": "ds01/tiny"}), (201, {"container": "work", "repo": hers}),
        (201, {"container": "work", "repo": victim.image}),
        (400, {"container": "work", "repo": "stolen", "changes": "RUN id"}), (400, {"repo": "stolen"}),
    ):  # fmt: skip
        assert mallory.call("POST", f"/v1.41/commit?{urlencode(query)}", {}).status == status, query
    assert (there(field, f"{IMAGE}:latest"), there(field, victim.image), there(field, hers)) == before
    assert there(field, "stolen") == ""


# others' ------------------------------------------------------------------------------------------


def test_d23_images_of_others_are_not_saved(mallory: User, alice: User, field: Ground, victim: Victim) -> None:
    image = there(field, victim.image)
    for name in (victim.image, image, image[7:19]):
        assert mallory.call("GET", f"/v1.41/images/{name}/get").status == 404
        for query in (f"names={name}", f"names={IMAGE}&names={name}", f"names={IMAGE},{name}"):
            assert mallory.call("GET", f"/v1.41/images/get?{query}").status == 404
    assert alice.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=both&tag=hers").status == 201
    assert mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=both&tag=mine").status == 201
    saved = mallory.call("GET", "/v1.41/images/both/get")
    with tarfile.open(fileobj=io.BytesIO(saved.body)) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        assert [entry["RepoTags"] for entry in json.load(manifest)] == [["both:mine"]]


# pushing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", CLIENTS)
def test_push_and_login_as_users_know_them(mallory: User, field: Ground, client: str) -> None:
    host = field.registry.host
    done = mallory.docker("login", "-u", registry.LOGIN, "--password-stdin", host, client=client,
                          given=registry.PASSWORD)  # fmt: skip
    assert done.code == 0, done.err
    ref = f"{host}/private/pushed:1"
    assert mallory.docker("tag", IMAGE, ref, client=client).code == 0
    pushed = mallory.docker("push", ref, client=client)
    assert pushed.code == 0, pushed.err
    assert ("private/pushed", "1") in field.registry.manifests
    assert mallory.docker("rmi", ref, client=client).code == 0
    assert mallory.docker("pull", "-q", ref, client=client).code == 0
    assert mallory.docker("run", "--rm", ref, "true", client=client).code == 0
    assert mallory.docker("logout", host, client=client).code == 0
    assert registry.PASSWORD not in field.log("ds01-gateway") + field.log("ds01d")


def test_d25_pushes_and_logins_to_nowhere_else(mallory: User, alice: User, field: Ground, victim: Victim) -> None:
    host = field.registry.host
    assert mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=10.0.0.1/x").status == 201
    for name, status in (("10.0.0.1/x", 403), ("10.0.0.1/x:latest", 403), (IMAGE, 403)):
        assert mallory.call("POST", f"/v1.41/images/{name}/push", X_Registry_Auth=login()).status == status
    assert alice.call("POST", f"/v1.41/images/{victim.image}/tag?repo={host}/hers-alone").status == 201
    for name in (f"{host}/hers-alone:latest", f"{host}/none:latest"):
        told = lines(mallory.call("POST", f"/v1.41/images/{name}/push", X_Registry_Auth=login()))
        absent = f"An image does not exist locally with the tag: {name.rpartition(':')[0]}"
        assert told[-1]["error"] == absent
    assert mallory.call("POST", f"/v1.41/images/{host}/hers-alone/push", X_Registry_Auth=login()).status == 403
    for address in ("127.0.0.1:6379", "http://169.254.169.254/", "", "https://index.docker.io/v1/", "10.0.0.1"):
        body = {"username": "a", "password": "b", "serveraddress": address}
        assert mallory.call("POST", "/v1.41/auth", body).status == 403, address
    assert not field.registry.manifests


# disk ---------------------------------------------------------------------------------------------


def disk(user: User, field: Ground) -> dict[str, str]:
    """The disk line of her ``ds01 status``."""
    with people.acting_as(user.person):
        sock = connected(str(field.run / "ds01d.sock"))
    rows: list[dict[str, str]] = ask(sock, "GET", "/v1/status").json["usage"]
    return next(row for row in rows if row["what"] == "disk")


@contextlib.contextmanager
def allowed(user: User, field: Ground, size: str) -> Iterator[None]:
    """She may use this much of the disk for a while."""
    before = (field.run / "limits.yaml").read_text()
    with field.limited(before + f"users: {{{user.person.login}: {{disk: {{images: {size}}}}}}}\n"):
        assert disk(user, field)["limit"] == size
        yield


@contextlib.contextmanager
def one_more(user: User, field: Ground) -> Iterator[None]:
    """She may have one image more than she has."""
    before = (field.run / "limits.yaml").read_text()
    line = "users: {%s: {images: %d}}\n"
    with field.limited(before + line % (user.person.login, 0)):
        refused = user.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=counted").message
    has = int(refused.partition("You have ")[2].partition(" of 0")[0])
    with field.limited(before + line % (user.person.login, has + 1)):
        yield


def test_e33_all_tags_and_an_archive_bring_no_more_images_than_may_come(mallory: User, field: Ground) -> None:
    host = field.registry.host
    for number in "123456":
        field.registry.put("lab/tool", number, SMALL, [layer("a", number)])
    with one_more(mallory, field):
        found = load(mallory, archives(3))
        assert (found.status, "and this would be 3 more" in found.message) == (409, True), found.body
        broken = mallory.call("POST", f"/v1.41/images/create?fromImage={host}/lab/tool")
        assert "more images than the 1 that you may still have" in lines(broken)[-1]["error"]
        assert len([ref for ref in names(mallory) if ref.startswith(f"{host}/lab/tool:")]) == 2
        assert load(mallory, archive("more:1")).status == 409


def archives(count: int) -> bytes:
    """So many images without names in one archive."""
    one = layer("file", "x")
    found = {f"c{number}_dot_json": json.dumps({**json.loads(config(one)), "author": str(number)}).encode()
             for number in range(count)}  # fmt: skip
    rows = [{"Config": name.replace("_dot_", "."), "RepoTags": None, "Layers": ["l/layer.tar"]} for name in found]
    return packed(rows, **found, l__layer_dot_tar=one)


def test_d7_past_her_quota_nothing_more_comes(mallory: User, alice: User, field: Ground) -> None:
    host = field.registry.host
    field.registry.put("lab/big", "1", SMALL, [layer("a", "x" * 3_000_000)])
    field.registry.put("lab/huge", "1", SMALL, [layer("a", "y" * 9_000_000)])
    old = mallory.create("old").json["Id"]
    with allowed(mallory, field, "4M"):
        assert pull(mallory, f"{host}/lab/big:1").status == 200
        large = archive("more:1", content="z" * 3_000_000)
        for body in (large, gzip.compress(large)):
            assert load(mallory, body).status == 507
        into = mallory.call("POST", "/v1.41/images/create?fromSrc=-&repo=more", layer("a", "z" * 3_000_000))
        assert into.status == 507
        assert "that is left of your disk space" in into.message
        broken = pull(mallory, f"{host}/lab/huge:1")
        assert "is larger than the" in lines(broken)[-1]["error"]
        assert there(field, f"{host}/lab/huge:1") == ""
        assert there(field, "more:1") == there(field, "more") == ""
        assert pull(alice, f"{host}/lab/huge:1").status == 200
        copied = mallory.call("PUT", f"/v1.41/containers/{old}/archive?path=/tmp", layer("a", "z" * 3_000_000))
        assert (copied.status, "that is left of your disk space" in copied.message) == (507, True)
    with allowed(mallory, field, "2M"):
        assert disk(mallory, field) == {"what": "disk", "used": "2.9M (images 2.9M, containers 0B, volumes 0B)",
                                        "limit": "2M"}  # fmt: skip
        refused = mallory.create("one-more")
        assert refused.status == 507
        assert "use 2.9M of the 2M you may have" in refused.message
        assert f"The largest image is {host}/lab/big:1 (2.9M)" in refused.message
        assert "Try: docker image prune -a" in refused.message
        assert pull(mallory, f"{host}/lab/big:1").status == 507
        growing: tuple[tuple[str, str, Any], ...] = (
            ("POST", "/volumes/create", {"Name": "more"}), ("POST", f"/commit?container={old}&repo=more", {}),
            ("PUT", f"/containers/{old}/archive?path=/tmp", layer("a", "x")), ("POST", "/images/load", layer("a", "x")),
            ("POST", "/images/create?fromSrc=-&repo=more", layer("a", "x")),
            ("POST", "/build?t=more", layer("Dockerfile", f"FROM {IMAGE}\nRUN echo more > /more\n")),
        )  # fmt: skip
        for method, path, body in growing:
            assert mallory.call(method, f"/v1.41{path}", body).status == 507, path
        assert "you may have" in mallory.docker("volume", "create", "more").err
        assert field.root("GET", f"/volumes/more._.{mallory.uid}").status == 404
        assert there(field, "more") == ""
        assert mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=free").status == 201
        pruned = mallory.docker("image", "prune", "-af")
        assert pruned.code == 0, pruned.err
        assert mallory.create("one-more").status == 201


def test_what_two_have_is_paid_by_halves_and_bases_by_nobody(mallory: User, alice: User, field: Ground) -> None:
    field.registry.put("lab/big", "1", SMALL, [layer("a", "x" * 4 * 1024**2)])
    ref = f"{field.registry.host}/lab/big:1"
    before = disk(mallory, field)["used"]
    assert mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=costs-nothing").status == 201
    assert pull(mallory, ref).status == 200
    wait(lambda: disk(mallory, field)["used"].startswith("4M"))
    assert pull(alice, ref).status == 200
    wait(lambda: disk(mallory, field)["used"].startswith("2M"))
    assert alice.call("DELETE", f"/v1.41/images/{ref}").status == 200
    wait(lambda: disk(mallory, field)["used"].startswith("4M"))
    assert mallory.call("DELETE", f"/v1.41/images/{ref}").status == 200
    wait(lambda: disk(mallory, field)["used"] == before)


# pruning ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", CLIENTS)
def test_d18_pruning_takes_ones_own(mallory: User, alice: User, field: Ground, victim: Victim, client: str) -> None:
    assert mallory.docker("image", "prune", "-af", client=client).code == 0, "what others of these tests left"
    assert load(alice, archive(content="of alice")).status == 200
    assert load(mallory, archive(content="nameless")).status == 200
    assert load(mallory, archive("named:1", content="named")).status == 200
    field.registry.put("lab/tool", "1", SMALL, [busybox(field)])
    shared = f"{field.registry.host}/lab/tool:1"
    assert [pull(user, shared).status for user in (alice, mallory)] == [200, 200]
    assert mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=used").status == 201
    assert mallory.create("uses", Image="used").status == 201
    before = ids(field)
    done = mallory.docker("image", "prune", "-f", client=client)
    assert done.code == 0, done.err
    assert len(before - ids(field)) == 1
    assert "deleted: sha256:" in done.out.lower()
    before = ids(field)
    done = mallory.docker("image", "prune", "-af", client=client)
    assert done.code == 0, done.err
    assert "untagged: named:1" in done.out.lower()
    assert f"untagged: {shared}" in done.out.lower()
    assert len(before - ids(field)) == 1
    assert there(field, shared)
    assert "used:latest" in names(mallory)
    assert there(field, victim.image)
    assert shared in names(alice)


def test_d18_pruning_by_age_and_label(mallory: User, field: Ground) -> None:
    assert load(mallory, archive("named:1", content="by label")).status == 200
    for filters, status in (
        ({"dangling": ["false"], "until": ["0001-01-01"]}, 200), ({"dangling": ["false"], "label": ["none"]}, 200),
        ({"until": ["soon"]}, 400), ({"dangling": ["maybe"]}, 400), ({"reference": ["x"]}, 400),
    ):  # fmt: skip
        found = mallory.call("POST", f"/v1.41/images/prune?{urlencode({'filters': json.dumps(filters)})}")
        assert found.status == status
        assert status != 200 or found.json == {"ImagesDeleted": None, "SpaceReclaimed": 0}
    assert "named:1" in names(mallory)


def test_d10_no_image_from_elsewhere_is_checked_every_millisecond(mallory: User, field: Ground) -> None:
    often = {"Healthcheck": {"Test": ["CMD", "true"], "Interval": 1_000_000}}
    field.registry.put("lab/often", "1", {**SMALL, **often}, [busybox(field)])
    ref = f"{field.registry.host}/lab/often:1"
    assert pull(mallory, ref).status == 200
    bodies: dict[str, dict[str, Any]] = {"one": {}, "two": {"Healthcheck": {"Test": ["CMD", "/bin/true"]}}}
    for name, body in bodies.items():
        made = mallory.create(name, Image=ref, **body).json["Id"]
        assert field.seen(made)["Config"]["Healthcheck"]["Interval"] == 5_000_000_000


@pytest.mark.parametrize("client", CLIENTS)
def test_a_build_pulls_what_it_is_built_from(mallory: User, field: Ground, client: str) -> None:
    host = field.registry.host
    field.registry.put("lab/tool", "1", SMALL, [busybox(field)])
    field.registry.put("private/model", "1", SMALL, [layer("weights", "secret 3")])
    place = mallory.folder("pulling")
    (place / "Dockerfile").write_text(f"FROM {host}/lab/tool:1\nCOPY --from={host}/private/model:1 /weights /w\n")
    refused = mallory.docker("build", "-t", "built", str(place), client=client)
    assert "cannot be pulled" in refused.err
    done = mallory.docker("login", "-u", registry.LOGIN, "--password-stdin", host, client=client,
                          given=registry.PASSWORD)  # fmt: skip
    assert done.code == 0, done.err
    built = mallory.docker("build", "-t", "built", str(place), client=client)
    assert built.code == 0, built.err
    assert mallory.docker("run", "--rm", "built", "cat", "/w", client=client).out == "secret 3"
    assert mallory.docker("logout", host, client=client).code == 0
    (place / "Dockerfile").write_text("FROM 10.0.0.1/x\n")
    assert "neither yours nor shared" in mallory.docker("build", str(place), client=client).err


@pytest.mark.parametrize("client", CLIENTS)
def test_all_tags_of_a_repository_at_once(mallory: User, alice: User, field: Ground, client: str) -> None:
    host = field.registry.host
    for tag in ("1", "2"):
        field.registry.put("lab/tool", tag, SMALL, [layer("a", f"all {tag}")])
    assert mallory.docker("pull", "-a", f"{host}/lab/tool", client=client).code == 0
    assert {f"{host}/lab/tool:1", f"{host}/lab/tool:2"} <= names(mallory)
    pushed = mallory.docker("push", "-a", f"{host}/lab/tool", client=client)
    assert pushed.code == 0, pushed.err
    assert mallory.docker("rmi", f"{host}/lab/tool:1", f"{host}/lab/tool:2", client=client).code == 0


def test_d20_all_tags_write_over_nothing_protected_or_anothers(mallory: User, alice: User, field: Ground) -> None:
    host = field.registry.host
    for repo in ("lab/tool", "guarded/base"):
        field.registry.put(repo, "1", SMALL, [layer("a", "evil")])
    assert mallory.call("POST", f"/v1.41/images/create?fromImage={host}/guarded/base").status == 403
    assert alice.call("POST", f"/v1.41/images/{IMAGE}/tag?repo={host}/lab/tool&tag=1").status == 201
    assert mallory.call("POST", f"/v1.41/images/create?fromImage={host}/lab/tool").status == 200
    ref = f"{host}/lab/tool:1"
    assert mallory.call("GET", f"/v1.41/images/{ref}/json").json["Id"] == there(field, ref)
    assert alice.call("GET", f"/v1.41/images/{ref}/json").json["Id"] == there(field, IMAGE)
    assert there(field, f"{host}/guarded/base:1") == ""


def test_o17_one_hears_of_ones_own_pulls_and_tags(mallory: User, alice: User, field: Ground) -> None:
    field.registry.put("private/heard-of", "1", SMALL, [layer("a", "heard")])
    ref = f"{field.registry.host}/private/heard-of:1"
    hers, others = _listening(mallory), _listening(alice)
    assert pull(mallory, ref, X_Registry_Auth=login()).status == 200
    assert mallory.call("POST", f"/v1.41/images/{ref}/tag?repo=heard").status == 201
    assert alice.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=the-end").status == 201
    assert mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo=my-end").status == 201
    told, elsewhere = _said(hers, b"my-end"), _said(others, b"the-end")
    assert f'"id":"{ref}"'.encode() in told
    assert b"heard:latest" in told
    assert b"private/heard-of" not in elsewhere
    assert b"heard" not in elsewhere


def _listening(user: User) -> socket.socket:
    """Hears from now on, also what the engine tells before it listens to her."""
    now = divmod(time.time_ns(), 10**9)
    sock = user.connect()
    filters = urlencode({"since": f"{now[0]}.{now[1]:09d}", "filters": json.dumps({"type": ["image"]})})
    sock.sendall(f"GET /v1.41/events?{filters} HTTP/1.1\r\nHost: d\r\n\r\n".encode())
    found = sock.recv(65536)
    assert b"200" in found.split(b"\r\n", 1)[0]
    return sock


def _said(sock: socket.socket, end: bytes) -> bytes:
    """Everything heard until ``end``."""
    found = b""
    with sock:
        while end not in found:
            found += sock.recv(65536)
    return found


def test_d20_no_archive_hides_in_what_the_engine_takes_for_a_folder(mallory: User, field: Ground) -> None:
    """What follows is more of the archive to the engine, with an end of its own: it never came to our list."""
    before = there(field, f"{IMAGE}:latest")
    evil = layer("evil", "z")
    files = {"c_dot_json": config(evil), "l__layer_dot_tar": evil}
    one = {"Config": "c.json", "Layers": ["l/layer.tar"]}
    for hidden, loads in (("ds01/tiny:latest", mallory), ("ours:1", None)):
        inside = packed([{**one, "RepoTags": [hidden]}], **files)
        archive = header(b"x/", len(inside), b"\0") + inside + packed([{**one, "RepoTags": ["seen:1"]}], **files)
        if loads is not None:
            load(loads, archive)
            assert there(field, f"{IMAGE}:latest") == before
        else:  # past the gateway it does what it is made for
            kind = {"Content-Type": "application/x-tar"}
            ask(connected(field.engine.socket), "POST", "/images/load", archive, kind)
            assert (there(field, hidden) != "", there(field, "seen:1")) == (True, "")
