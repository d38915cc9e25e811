"""Gives a copied project the name of its folder: two folders of one name would share an image and a container."""

from __future__ import annotations

import os

from ds01.domain.errors import Ds01Error
from ds01.projects import file, plainfile


def rename(folder: str, name: str) -> bool:
    """Write ``name`` into the project file, comments kept; False when it is so already or cannot be."""
    import tomlkit

    if not file.has_file(folder):
        return False
    try:
        source = file.read(folder)
    except Ds01Error:
        return False  # a broken file is told by whatever reads it next, with its place
    document = tomlkit.parse(source.text)
    table: object = document
    for key in (*source.prefix, "project"):
        table = table.get(key) if isinstance(table, dict) else None
    if not isinstance(table, dict) or table.get("name") in (None, name):
        return False
    table["name"] = name
    plainfile.replace(os.path.join(folder, os.path.basename(source.path)), tomlkit.dumps(document))
    return True
