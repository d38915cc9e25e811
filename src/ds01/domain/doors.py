"""How a container came to be, as far as the command line has to know: it loads none of what containers are."""

from __future__ import annotations

BY_DOCKER = frozenset({"docker", "compose", "devcontainer"})
"""The doors of Docker's own clients. No launch makes anew what came through them."""
