"""Where programs in a container keep what they downloaded."""

from __future__ import annotations

CACHES = {
    "XDG_CACHE_HOME": "/workspace/.cache",
    "HF_HOME": "/workspace/.cache/huggingface",
    "TORCH_HOME": "/workspace/.cache/torch",
    "PIP_CACHE_DIR": "/workspace/.cache/pip",
    "UV_CACHE_DIR": "/workspace/.cache/uv",
}
"""Where models and packages that were downloaded once stay (W4): in the workspace, which outlives the container."""
