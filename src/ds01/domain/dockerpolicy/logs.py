"""Where what a container says is kept: in json files of the engine, never more than 30 MB of it.

Files and sizes are as they were asked for as long as they are not more together. A size that DS01 adds is written in
bytes with their unit (``300000b``), as nobody writes one, so that a container can be shown as it was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import Case
from ds01.domain.dockerpolicy.strictjson import Json, is_zero
from ds01.domain.dockerpolicy.verdict import EngineWordsError, not_allowed

MOST_BYTES = 30_000_000
MOST_FILES = 100
_HERE = frozenset({"", "json-file", "local", "none"})
_REMOTE = frozenset({
    "awslogs", "fluentd", "gcplogs", "gelf", "journald", "logentries", "splunk", "syslog",
})  # fmt: skip
_FILES = re.compile(r"[1-9][0-9]{0,2}")
_SIZE = re.compile(r"([1-9][0-9]{0,9})([kKmM]?)")
_UNITS = {"": 1, "k": 10**3, "m": 10**6}
_OURS = re.compile(r"[0-9]+b")

DEFAULT: dict[str, Json] = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
"""Where nothing was asked, or too much: readable by ``docker logs``."""


def judge(case: Case, value: Json) -> Json:
    """``LogConfig``. Raises RefusedError."""
    read = shape.struct("LogConfig", value, shape.names("Type", "Config"))
    kind = shape.text("LogConfig.Type", read.get("Type"))
    if kind not in _HERE | _REMOTE:
        what = f'error looking up logging plugin {kind}: plugin "{kind}" not found'
        raise EngineWordsError("create.logs", what, status=400)
    if kind not in _HERE:
        raise not_allowed("create.logs", f"the log driver '{kind}'", "Leave it out; read logs with `docker logs`.")
    options = {} if is_zero(read.get("Config")) else shape.text_map("LogConfig.Config", read.get("Config"))
    kept = _bounded(options) if kind in ("", "json-file") else None
    if kept is None and (options or kind in ("local", "none")):
        case.changed("create.logs", "logs are kept as json-file, 3 x 10 MB", told=True)
    return DEFAULT if kept is None else {"Type": "json-file", "Config": kept}


def _bounded(options: Mapping[str, str]) -> dict[str, Json] | None:
    """What was asked, where it is that much at most; of more files than one each is as large as may be."""
    files, size = _FILES.fullmatch(options.get("max-file", "1")), _SIZE.fullmatch(options.get("max-size", "1"))
    if not options or options.keys() - {"max-file", "max-size"} or not files or not size:
        return None
    number, most = int(files[0]), MOST_BYTES // int(files[0])
    if number > MOST_FILES or int(size[1]) * _UNITS[size[2].lower()] > most:
        return None
    return {"max-size": f"{most}b", **options}


def shown(options: Mapping[str, str]) -> dict[str, str]:
    """The options as they were asked for."""
    if options == DEFAULT["Config"]:
        return {}
    return {name: text for name, text in options.items() if not _OURS.fullmatch(text)}
