"""Jobs that ended long ago are forgotten; what they used, their numbers and what waits for them are not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from ds01.domain.jobs.job import Job
from ds01.domain.settings import KeepRules
from ds01.services.consumption import consumption
from ds01.services.jobs.forget import forget
from ds01.services.jobs.story import why
from ds01.services.report import report
from tests.server import ALICE, BOB, ROOT, SimServer, settings
from tests.unit.services.test_jobs import Jobs

YEAR = 365 * 86400.0 + 1
"""And a moment."""


@pytest.fixture
async def jobs(server: SimServer) -> AsyncIterator[Jobs]:
    server.policy.settings = settings(gpus__max=Fraction(4), containers=20)
    made = Jobs(server)
    yield made
    await made.runner.close()


async def done(jobs: Jobs) -> Job:
    """A job that ran for an hour and ended well."""
    job = await jobs.one()
    await jobs.go()
    await jobs.server.live(60)
    await jobs.ends(job.name)
    return job


async def names(jobs: Jobs) -> list[str]:
    return [job.name for job in await jobs.server.ledger.read(lambda books: books.jobs())]


async def test_a_year_later_a_job_is_forgotten_and_what_it_used_is_not(jobs: Jobs) -> None:
    server = jobs.server
    old, latest = await done(jobs), await done(jobs)
    begin = server.clock.now() - timedelta(days=2)
    used = await consumption(server.world, await server.caller(), since=begin)
    month = await report(server.world, await server.caller(ROOT), f"{begin:%Y-%m}")
    assert used.lines
    assert await forget(server.world) == 0
    await server.clock.advance(YEAR)
    assert await forget(server.world) == 1
    assert await names(jobs) == [latest.name]
    assert await consumption(server.world, await server.caller(), since=begin) == used
    assert await report(server.world, await server.caller(ROOT), f"{begin:%Y-%m}") == month
    assert (await why(server.world, await server.caller(), old.name)).entries


async def test_the_next_one_is_numbered_after_the_latest_that_ever_was(jobs: Jobs) -> None:
    for _ in range(3):
        await done(jobs)
    await jobs.server.clock.advance(2 * YEAR)
    assert await forget(jobs.server.world) == 2
    assert (await jobs.one()).number == 4


async def test_what_a_job_waits_for_is_kept(jobs: Jobs) -> None:
    await done(jobs)
    first, runs = await jobs.one(), await jobs.one()
    waits = await jobs.one(after=(first.name, runs.name))
    await jobs.go()
    await jobs.ends(first.name)
    await jobs.server.clock.advance(YEAR)
    assert await forget(jobs.server.world) == 1
    assert await names(jobs) == [first.name, runs.name, waits.name]


async def test_what_has_not_ended_stays_however_old(jobs: Jobs) -> None:
    for _ in range(2):
        await jobs.one(gpus="0")
    await jobs.server.clock.advance(3 * YEAR)
    assert await forget(jobs.server.world) == 0


async def test_the_limits_file_says_how_long_and_may_say_for_ever(jobs: Jobs) -> None:
    server = jobs.server
    await done(jobs)
    await done(jobs)
    await server.clock.advance(10 * YEAR)
    server.policy.settings = replace(server.policy.settings, keep=KeepRules(jobs=None))
    assert await forget(server.world) == 0
    server.policy.settings = replace(server.policy.settings, keep=KeepRules(jobs=timedelta(days=3000)))
    assert await forget(server.world) == 1


async def test_everybodys_are_forgotten(jobs: Jobs) -> None:
    for user in (ALICE, BOB):
        for _ in range(3):
            job = await jobs.one(user=user)
            await jobs.go()
            jobs.server.engine.die((await jobs.container(job.name, user)).id, 0)
            await jobs.go()
    await jobs.server.clock.advance(YEAR)
    assert await forget(jobs.server.world) == 4
    assert len(await names(jobs)) == 2
