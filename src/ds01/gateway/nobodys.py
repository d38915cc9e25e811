"""What an admin sees in a list and cannot have: nobody's, because it was made past DS01.

Others are told that it is not there, as of anything that is not theirs. An admin is told why, and which way leads to
it.
"""

from __future__ import annotations

from ds01.domain.dockerpolicy.verdict import AbsentError, RefusedError
from ds01.gateway.call import Call
from ds01.gateway.upstream import Ask, UpstreamError

RULE = "own.nobodys"
_PATHS = {"container": "/containers/{}/json", "volume": "/volumes/{}", "network": "/networks/{}"}


async def explained(call: Call | None, error: RefusedError) -> RefusedError:
    """The refusal as this user is to read it: another one where an admin named what the engine has and nobody owns."""
    if call is None or not call.user.admin or not isinstance(error, AbsentError) or not await _is_there(call, error):
        return error
    return RefusedError(
        RULE, f"The {error.kind} {error.name} is nobody's: it was made past DS01",
        'Go past DS01 as well: ds01 admin door open "what is to be done".', status=error.status,
    )  # fmt: skip


async def _is_there(call: Call, error: AbsentError) -> bool:
    path = _PATHS.get(error.kind)
    if path is None:
        return False
    try:
        head, _ = await call.gate.engine.whole(Ask(method="GET", target=call.target(path.format(error.name))))
    except (RefusedError, UpstreamError, ConnectionError):  # a name that no engine has, or none that could say
        return False
    return head.status == 200
