"""Jobs: submitting, looking, following, giving up."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from ds01.api.identity import Everybody, TheCaller, TheWorld
from ds01.api.stream import NDJSON, Lines, relayed
from ds01.services.jobs import cancel as cancelling
from ds01.services.jobs import show as showing
from ds01.services.jobs import submit as submitting
from ds01.wire.jobs import JobPlan, JobRequest, JobsView, JobView
from ds01.wire.pages import FURTHEST, ROWS

router = APIRouter(prefix="/jobs", tags=["jobs"])
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"model": JobsView, "description": f"Now and at every change, one a line ({NDJSON}), until all have ended"}
}


@router.post("/plan")
async def plan(world: TheWorld, caller: TheCaller, request: JobRequest) -> JobPlan:
    """What would be submitted. Changes nothing."""
    return await submitting.plan(world, caller, request)


@router.post("", status_code=201)
async def submit(world: TheWorld, caller: TheCaller, request: JobRequest) -> JobsView:
    """Submit a job or an array. What is answered is on the disk."""
    jobs = await submitting.submit(world, caller, request)
    return await showing.submitted(world, jobs)


@router.get("")
async def list_jobs(
    world: TheWorld, caller: TheCaller, everybody: Everybody,
    limit: Annotated[int, Query(ge=1, le=ROWS, description="The latest ones")] = 200,
    skip: Annotated[int, Query(ge=0, le=FURTHEST, description="So many of the latest are left out")] = 0,
) -> list[JobView]:  # fmt: skip
    """The latest jobs, ended or not, the latest last; without environment and data, the ends of long commands, and what
    has ended of what they come after.
    """
    return list(await showing.list_jobs(world, caller, everybody=everybody, limit=limit, skip=skip))


@router.get("/{name}")
async def show(world: TheWorld, caller: TheCaller, name: str) -> JobsView:
    """One job, or all tasks of an array."""
    return await showing.show(world, caller, name)


@router.get("/{name}/follow", response_class=Lines, responses=STREAM)
async def follow(world: TheWorld, caller: TheCaller, name: str) -> Lines:
    """One job, or all tasks of an array, until all have ended."""
    await showing.show(world, caller, name)
    return relayed(lambda: showing.follow(world, caller, name))


@router.delete("/{name}")
async def cancel(world: TheWorld, caller: TheCaller, name: str) -> JobsView:
    """Give it up: what waits ends at once, what runs is asked to end. The answer has those that were open."""
    return await cancelling.cancel(world, caller, name)
