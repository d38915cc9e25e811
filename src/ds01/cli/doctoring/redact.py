"""Takes out of a text what is nobody else's business: secrets, values of variables, people.

What is known is replaced wherever it stands; what looks like a secret is replaced, too, and rather too much than too
little: a report without a word of its middle still helps, a token in a forum does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HIDDEN = "[hidden]"
_SHORTEST = 4
"""Values that are shorter are words of the language or numbers: taking them out everywhere would leave nothing."""

_NAMED = re.compile(
    r"(?i)([\w.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|apikey|credential|private[_-]?key|access[_-]?key"
    r"|auth(?!or))[\w.-]*[\"']?\s*[:=]\s*)(\"[^\"\n]*\"|'[^'\n]*'|(?<=:)[^\n\"']+|(?<=: )[^\n\"']+|[^\s,;&\"']+)"
)
_SHAPES = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)",
        r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}",
        r"(?<=://)[^/\s@]+(?=@)",
        r"\b(?:hf_|ghp_|gho_|ghs_|github_pat_|glpat-|sk-|pypi-|npm_|xox[abprs]-|AKIA|ASIA|AIza|dckr_pat_)[A-Za-z0-9_-]{8,}",
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
        r"\b(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+)\s+[A-Za-z0-9+/=]{20,}[^\n]*",
        r"(?<![\w+/-])(?=[\w+/-]*\d)(?=[\w+/-]*[A-Za-z])[\w+/-]{32,}={0,2}",
    )
)
_VARIABLE = re.compile(
    r"((?<![\w-])(?:-e|--env)[ =]*[\"']?[A-Za-z_]\w*=)(?!\[hidden\])\S.*?(?=\s+--?[A-Za-z]|$)", re.MULTILINE
)
"""A variable of a container on a command line. Its value may have words: all up to the next option goes."""
_ASSIGNED = re.compile(r"((?:--[a-z-]+=)?-?[A-Za-z_]\w*=)(.+)", re.DOTALL)
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_ADDRESS = re.compile(r"\b(?!127\.)\d{1,3}(?:\.\d{1,3}){3}\b")


def redact(text: str, *, values: Iterable[str] = (), people: Mapping[str, str] | None = None) -> str:
    """``text`` without ``values``, anything that looks like a secret, and the names in ``people``."""
    text = without(text, values)
    text = _SHAPES[0].sub(HIDDEN, text) if "-----BEGIN" in text else text
    text = _VARIABLE.sub(lambda found: found[1] + HIDDEN, text)
    for shape in _SHAPES[1:]:
        text = shape.sub(HIDDEN, text)
    text = _NAMED.sub(lambda found: found[1] + HIDDEN, text)
    text = _people(text, people or {})
    return _ADDRESS.sub("[address]", _MAIL.sub("[mail]", text))


def without(text: str, values: Iterable[str]) -> str:
    """``text`` without these values, the longest first."""
    for value in sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def command(words: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """A command line without the values of variables, wherever they stand in it; and these values."""
    shown, values = [], []
    for word in words:
        found = _ASSIGNED.fullmatch(word)
        shown.append(found[1] + HIDDEN if found else word)
        values += [found[2]] if found else []
    return " ".join(shown), tuple(values)


def _people(text: str, people: Mapping[str, str]) -> str:
    """Logins, whole words only; the longest first, so that one within another is not cut out of it."""
    for name in sorted(people, key=len, reverse=True):
        text = re.sub(rf"(?<![\w.@-]){re.escape(name)}(?![\w@-])", people[name], text)
    return text
