"""docs/reference/sdk.md: what a script can do, from the signatures and docstrings of ``ds01.sdk``."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

from ds01 import sdk
from ds01.wire.containers import ContainerView, RetireResult
from ds01.wire.gpus import GpusView
from ds01.wire.jobs import JobsView, JobView

NAME = "sdk.md"
_NOTE = "Written by `make docs` from `src/ds01/sdk.py`."
_VIEWS = (ContainerView, RetireResult, JobsView, JobView, GpusView)

_HEAD = """\
On the server, in any Python that has the package `ds01`:

```python
from ds01 import Ds01Error, connect

lab = connect()
try:
    container = lab.launch("thesis", gpus=1)
except Ds01Error as error:
    print(error, error.problem.reason, error.problem.hint, error.kind.code)
```

You are whoever runs the program: ds01d asks the kernel. Limits, queue and projects are those of the `ds01` commands,
and the codes of errors those of [errors.md](errors.md).
[A grid search](../howto/grid-search.md) shows most of it at work.
"""


def page() -> str:
    """The page."""
    return "\n".join(["# The Python SDK", "", _NOTE, "", _HEAD, *_functions(), *_values()])


def _functions() -> Iterator[str]:
    yield from ["## What there is", ""]
    yield from _entry("connect", sdk.connect)
    for name, method in vars(sdk.Lab).items():
        if not name.startswith("_") and inspect.isfunction(method):
            yield from _entry(f"lab.{name}", method)
    yield from [
        "`lab.client` is the layer below: a method for everything that ds01d does, in the types of `ds01.wire`.", "",
    ]  # fmt: skip


def _entry(name: str, function: Any) -> Iterator[str]:
    signature = inspect.signature(function)
    given = [each for each in signature.parameters.values() if each.name != "self"]
    words, starred = [], False
    for each in given:
        if each.kind is each.KEYWORD_ONLY and not starred:
            words.append("*")
            starred = True
        default = "" if each.default is each.empty else f" = {each.default!r}"
        words.append(f"{each.name}: {each.annotation}{default}")
    text = ",\n    ".join(words)
    inside = f"\n    {text},\n" if len(text) > 60 else ", ".join(words)
    yield from [f"### `{name}`", "", "```python", f"{name}({inside}) -> {signature.return_annotation}", "```", ""]
    yield from [inspect.getdoc(function) or "", ""]


def _values() -> Iterator[str]:
    yield from ["## What comes back", "", "Values with these fields; `ds01 COMMAND --info` describes each.", ""]
    for view in _VIEWS:
        named = ", ".join(f"`{each.name}`" for each in dataclasses.fields(view))
        yield f"- `{view.__name__}`: {named}"
    yield ""
