"""What a client says twice: docker-modem, which dockerode is built on, sends its options as query and as body alike.

Of such a request the engine reads one of the two and passes over the other. So does the gateway, as long as the other
has nothing of its own: in a body only names of parameters, in a query only names of the body's members. Neither is ever
passed on, so what they say does not matter.
"""

from __future__ import annotations

from ds01.domain.dockerpolicy.query import Query, Rules, unknown
from ds01.domain.dockerpolicy.strictjson import Json, parse_object
from ds01.domain.dockerpolicy.verdict import RefusedError

_NOTHING = (b"", b"{}", b"null")


def check_none(body: bytes, rules: Rules) -> None:
    """Refuse the body of a request that takes none, unless it says parameters of this request again."""
    if body.strip() in _NOTHING:
        return
    if not rules.names:
        raise takes_none()
    if not parse_object(body).keys() <= rules.names:
        raise takes_none()


def own(body: dict[str, Json], query: Query, rules: Rules) -> dict[str, Json]:
    """The members of a body that are no parameters. Raises RefusedError for a parameter that is neither served nor a
    member said again.
    """
    for name in query.beside:
        if name not in body:
            raise unknown(name)
    return {name: value for name, value in body.items() if name not in rules.names}


def takes_none() -> RefusedError:
    """What is said to a body that has no place in a request."""
    return RefusedError("body.none", "This request takes no body", "Update your client.", status=400)
