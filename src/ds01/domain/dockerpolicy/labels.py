"""Labels: the user's own are kept; what looks like DS01's is DS01's to write."""

from __future__ import annotations

from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import Case
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.weight import check_labels
from ds01.domain.labels import Label


def labels(case: Case, value: Json, field: str = "Labels") -> dict[str, str]:
    """The user's labels: everything that looks like DS01's own is left out."""
    found = {}
    for key, item in shape.text_map(field, value, multiline=True).items():
        if key.casefold().startswith(Label.PREFIX):
            case.changed("create.labels", f"label {key} left out: DS01 sets its own")
        else:
            found[key] = item
    check_labels("create.labels", found)
    return found
