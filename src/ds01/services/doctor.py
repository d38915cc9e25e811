"""Examine the server: every check at once, none of them able to stop the others."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from ds01.services import checks
from ds01.services.checks import Check, Finding, State, failed
from ds01.services.world import World
from ds01.wire.status import CheckView, DoctorView

PATIENCE_SECONDS = 20.0


@cache
def every() -> Mapping[str, Check]:
    """All checks by name, found by listing their folder."""
    found: dict[str, Check] = {}
    for module in pkgutil.iter_modules(checks.__path__):
        found[module.name.replace("_", "-")] = importlib.import_module(f"{checks.__name__}.{module.name}").CHECK
    return found


async def examine(world: World, *, admin: bool, patience_seconds: float = PATIENCE_SECONDS) -> DoctorView:
    """Run every check. Only admins are shown the details: names of people and of their containers."""
    running = (_patient(check, world, patience_seconds) for check in every().values())
    found = await asyncio.gather(*running, return_exceptions=True)
    views = [_view(name, one, admin=admin) for name, one in zip(every(), found, strict=True)]
    return DoctorView(checks=tuple(views), healthy=all(view.state != State.FAILED for view in views))


async def _patient(check: Check, world: World, patience_seconds: float) -> Finding:
    async with asyncio.timeout(patience_seconds):
        return await check.run(world)


def _view(name: str, found: Finding | BaseException, *, admin: bool) -> CheckView:
    if isinstance(found, BaseException):
        found = _broken(name, found)
    text = " ".join([found.text, *(_sentence(detail) for detail in found.details if admin)])
    return CheckView(name=name, state=found.state.value, text=text, fix=found.fix)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else text + "."


def _broken(name: str, error: BaseException) -> Finding:
    """A check that could not be done is a finding too."""
    if isinstance(error, TimeoutError):
        return failed("The check did not end in time.", "Something hangs: a file server, the engine, the directory.")
    told = str(error) or type(error).__name__
    return failed(f"The check could not be done: {told}", f"Look at ds01d's log, and report it with the name '{name}'.")
