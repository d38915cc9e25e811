"""Archives are unpacked with their owner's rights, however short they are."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import tarfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from ds01.adapters.host import unpack as unpacking
from ds01.adapters.host.unpack import unpack
from ds01.domain.errors import Ds01Error
from ds01.domain.people import Uid, User

SOMEBODY = User(uid=Uid(1722830498), gid=1722830498, login="h.baker@lab.lan", home="/nonexistent")


async def archive(content: bytes, name: str = "note") -> AsyncGenerator[bytes, None]:
    """What the engine sends for one file: no padding to a full record."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    yield entry.tobuf()
    yield content + b"\0" * (-len(content) % tarfile.BLOCKSIZE)
    yield b"\0" * (2 * tarfile.BLOCKSIZE)


@pytest.mark.root
@pytest.mark.parametrize("content", [b"", b"kept", io.DEFAULT_BUFFER_SIZE * b"long "])
async def test_w2_a_file_of_any_length_is_unpacked_as_its_owner(tmp_path: Path, content: bytes) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    os.chown(tmp_path, SOMEBODY.uid, SOMEBODY.gid)
    async with asyncio.timeout(120):
        await unpack(SOMEBODY, str(tmp_path / "rescued"), archive(content))
    file = tmp_path / "rescued/note"
    assert file.read_bytes() == content
    assert (file.stat().st_uid, file.stat().st_gid) == (SOMEBODY.uid, SOMEBODY.gid)


@pytest.mark.root
async def test_archives_one_after_another_are_unpacked_all(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    os.chown(tmp_path, SOMEBODY.uid, SOMEBODY.gid)

    async def several() -> AsyncGenerator[bytes, None]:
        for number in range(50):
            async for piece in archive(b"x" * number * 100, f"note-{number}"):
                yield piece

    async with asyncio.timeout(120):
        await unpack(SOMEBODY, str(tmp_path / "rescued"), several())
    assert {file.name: file.stat().st_size for file in (tmp_path / "rescued").iterdir()} == {
        f"note-{number}": number * 100 for number in range(50)
    }


@pytest.fixture
async def complaints() -> AsyncGenerator[None, None]:
    """What the loop has to say at the end of what nobody looked at: nothing."""
    said: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    yield
    gc.collect()
    assert said == []


@pytest.mark.root
@pytest.mark.usefixtures("complaints")
async def test_what_ends_before_all_was_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_SCRIPT", "echo no room >&2; exit 3")
    async with asyncio.timeout(120):
        with pytest.raises(Ds01Error) as failed:
            await unpack(SOMEBODY, str(tmp_path / "rescued"), archive(1024**2 * b"long"))
    assert failed.value.problem.reason == "no room."


@pytest.mark.root
@pytest.mark.usefixtures("complaints")
@pytest.mark.parametrize("content", [b"kept", 1024**2 * b"long"])
async def test_what_stands_still_is_ended_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """The programs are her own: she may stop them, and then nothing is read (the second) or nothing ends."""
    monkeypatch.setattr(unpacking, "STILL_SECONDS", 0.5)
    monkeypatch.setattr(unpacking, "_SCRIPT", "kill -STOP $$")
    async with asyncio.timeout(120):
        with pytest.raises(Ds01Error, match="Nothing could be written to") as failed:
            await unpack(SOMEBODY, str(tmp_path / "rescued"), archive(content))
    assert "stood still" in failed.value.problem.reason
