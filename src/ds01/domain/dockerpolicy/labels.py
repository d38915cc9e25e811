"""Labels: the user's own are kept; what looks like DS01's is DS01's to write."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import Case
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import Change
from ds01.domain.dockerpolicy.weight import check_labels
from ds01.domain.labels import Label


def labels(case: Case, value: Json, field: str = "Labels") -> dict[str, str]:
    """The user's labels of a container, a volume or a network."""
    found = users_own("create.labels", shape.text_map(field, value, multiline=True), case.changes)
    check_labels("create.labels", found)
    return found


def users_own(
    rule: str, asked: Mapping[str, str], changes: list[Change], also: Collection[str] = ()
) -> dict[str, str]:  # fmt: skip
    """The user's labels: everything that looks like DS01's own is left out, except what users may say ``also``."""
    found = {}
    for key, text in asked.items():
        if key.casefold().startswith(Label.PREFIX) and key not in also:
            changes.append(Change(rule=rule, text=f"label {key} left out: DS01 sets its own"))
        else:
            found[key] = text
    return found
