"""A stand-in for NVIDIA's driver library: compiled from ``standin.c`` by the tests, answering from a text file.

The real nvidia-ml-py loads it as it would load the real one: by its name, from ``LD_LIBRARY_PATH`` in another process,
or because a library of that name is loaded in this one already.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).with_name("standin.c")
NAME = "libnvidia-ml.so.1"


def available() -> bool:
    """Whether the stand-in can be compiled here."""
    return shutil.which("gcc") is not None


@functools.cache
def library() -> Path:
    """The compiled stand-in. Its folder is for ``LD_LIBRARY_PATH``."""
    folder = tempfile.mkdtemp(prefix="ds01nvml")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    built = Path(folder) / NAME
    subprocess.run(
        ["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-result", "-O1", "-shared", "-fPIC",
         f"-Wl,-soname,{NAME}", "-o", str(built), str(SOURCE)],
        check=True,
    )  # fmt: skip
    return built


@dataclass
class State:
    """What the stand-in says: sections of keys, a key with several values as a list."""

    path: Path
    sections: dict[str, dict[str, object]] = field(default_factory=dict)

    def use(self) -> None:
        """Make the stand-in in this process answer from here."""
        loaded = ctypes.CDLL(str(library()), mode=ctypes.RTLD_GLOBAL)
        self.write()
        loaded.ds01_standin_use(str(self.path).encode())

    def set(self, section: str, **values: object) -> None:
        """Change a section (None takes a key away) and write."""
        merged = self.sections.get(section, {}) | values
        self.sections[section] = {key: value for key, value in merged.items() if value is not None}
        self.write()

    def write(self) -> None:
        """Write the file the stand-in reads."""
        text = ""
        for section, values in self.sections.items():
            text += f"[{section}]\n"
            for key, value in values.items():
                text += "".join(f"{key}={one}\n" for one in (value if isinstance(value, list) else [value]))
        self.path.write_text(text)


DIVISIBLE = ["0 1 1 4864 1g.5gb 0,1,2,3,4,5,6", "1 2 2 9856 2g.10gb 0,2,4", "2 3 4 19968 3g.20gb 0,4",
             "3 4 4 19968 4g.20gb 0", "4 7 8 40192 7g.40gb 0"]  # fmt: skip
"""The profiles of an A100 with the places where each may begin."""


def a100(index: int, **more: object) -> dict[str, object]:
    """A healthy A100 with all its questions answered."""
    return {
        "uuid": f"GPU-00000000-0000-4000-8000-{index:012d}",
        "name": "NVIDIA A100-SXM4-40GB",
        "memory_mib": 40960,
        "used_mib": 0,
        "minor": index,
        "pci": f"00000000:{0x3B + index:02X}:00.0",
        "mig": 0,
        "max_mig": 7,
        "profile": ["0 1", "1 2", "2 3", "3 4", "4 7"],
        "utilisation": 0,
        "temperature": 40,
        "slowdown": 93,
        "power_mw": 60000,
        "energy_mj": 1000,
        "ecc": 0,
        "rows": "0 0 0 0",
    } | more
