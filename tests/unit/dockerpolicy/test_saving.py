"""Archives the engine saves, with the names their user knows."""

from __future__ import annotations

import io
import json
import tarfile

from ds01.domain.dockerpolicy.context import END
from ds01.domain.dockerpolicy.saving import lists, reader
from ds01.domain.own_images import plain_image, plain_text
from tests.unit.dockerpolicy.test_loading import archive


def saved(**files: bytes) -> dict[str, bytes]:
    """What becomes of an archive, by the path of each file."""
    found = reader()
    data = archive(*((name.replace("_json", ".json"), content) for name, content in files.items()))
    passed = b"".join(bytes(piece) for part in (data[:700], data[700:]) for piece in found.feed(part))
    found.finish()
    ours = b"".join(lists(found, lambda text: plain_text(text, 1001), lambda ref: plain_image(ref, 1001)))
    with tarfile.open(fileobj=io.BytesIO(passed + ours + END)) as tar:
        names = tar.getnames()
        assert len(names) == len(set(names))
        return {name: tar.extractfile(name).read() for name in names}  # type: ignore[union-attr]


def test_names_of_ones_own_are_plain_in_every_list() -> None:
    manifest = [{"Config": "c.json", "RepoTags": ["ds01-u1001/app:1", "lib:1"], "Layers": ["l"]},
                {"Config": "d.json", "RepoTags": None, "Layers": []}]  # fmt: skip
    index = {"manifests": [{"digest": "sha256:1", "annotations": {
        "io.containerd.image.name": "docker.io/ds01-u1001/app:1", "org.opencontainers.image.ref.name": "1"}},
        {"digest": "sha256:2"}]}  # fmt: skip
    found = saved(
        c_json=b"{}", l=b"layer" * 500, manifest_json=json.dumps(manifest).encode(),
        repositories=json.dumps({"ds01-u1001/app": {"1": "x"}, "lib": {"1": "y"}}).encode(),
        index_json=json.dumps(index).encode(),
    )  # fmt: skip
    assert (found["c.json"], found["l"]) == (b"{}", b"layer" * 500)
    tags = [each["RepoTags"] for each in json.loads(found["manifest.json"])]
    assert tags == [["app:1", "lib:1"], None]
    assert json.loads(found["repositories"]) == {"app": {"1": "x"}, "lib": {"1": "y"}}
    notes = json.loads(found["index.json"])["manifests"][0]["annotations"]
    assert notes == {"io.containerd.image.name": "docker.io/library/app:1", "org.opencontainers.image.ref.name": "1"}


def test_one_name_of_two_repositories_keeps_the_tags_of_both() -> None:
    both = json.dumps({"ds01-u1001/app": {"1": "x"}, "app": {"2": "y"}}).encode()
    assert json.loads(saved(repositories=both)["repositories"]) == {"app": {"1": "x", "2": "y"}}
