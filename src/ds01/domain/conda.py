"""What conda calls otherwise than the package index does, and what an image has from its base instead."""

from __future__ import annotations

import re

_ELSEWHERE = {
    "pytorch": "torch", "opencv": "opencv-python-headless", "py-opencv": "opencv-python-headless",
    "matplotlib-base": "matplotlib", "tensorflow-gpu": "tensorflow", "msgpack-python": "msgpack",
    "python-graphviz": "graphviz", "pytables": "tables", "py-xgboost": "xgboost", "seaborn-base": "seaborn",
}  # fmt: skip
_OF_THE_BASE = (
    "python", "pip", "setuptools", "wheel", "conda", "cudatoolkit", "cudnn", "nccl", "pytorch-cuda", "pytorch-mutex",
    "cuda", "mkl", "mkl-service", "blas", "openblas", "intel-openmp", "llvm-openmp", "openssl", "ca-certificates",
    "zlib", "bzip2", "xz", "readline", "sqlite", "tk", "ncurses", "icu", "zstd", "ffmpeg", "python_abi", "tzdata",
)  # fmt: skip
"""What comes with the base image: the interpreter, CUDA, libraries of the system."""
_SYSTEM = re.compile(r"_.*|lib.*|ld_impl.*|cuda-.*|.*-cos\d.*|gcc.*|gxx.*")


def on_the_index(name: str) -> str:
    """What the package index calls a package of conda's; ``""`` for what an image has from its base."""
    low = name.lower()
    return "" if low in _OF_THE_BASE or _SYSTEM.fullmatch(low) else _ELSEWHERE.get(low, name)
