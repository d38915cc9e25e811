"""A class: seats for the people on a roster, the same image for all, its instructor's view, and its end.

It is a booking with one seat a person. What is special is around it: the roster is checked as a whole before anything
is booked, the image must be there when the class is opened and may be used by everybody on the roster, and what is
left of the class goes when it is over. Workspaces stay, always.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from ds01.domain.bookings import roster
from ds01.domain.bookings.allowance import check_who
from ds01.domain.bookings.roster import Entry
from ds01.domain.errors import BAD_REQUEST, NO_BOOKING, NO_IMAGE, Ds01Error
from ds01.domain.gpu_ask import GpuAsk, ask, flags
from ds01.domain.image import with_tag
from ds01.domain.names import checked, image_reference, nearest
from ds01.domain.people import Uid, User
from ds01.domain.quantity import many
from ds01.domain.queue.booking import Booking, Kind
from ds01.ports.ledger import Books
from ds01.services.account import account
from ds01.services.booking.book import Wanted, dates, decide, put, times
from ds01.services.booking.show import drawn
from ds01.services.booking.standing import notices
from ds01.services.caller import Caller
from ds01.services.images import may_lend
from ds01.services.moments import lasting
from ds01.services.world import World
from ds01.wire.classes import ClassOpened, ClassRequest, ClassSeat


async def open_class(world: World, caller: Caller, request: ClassRequest) -> ClassOpened:
    """Book its seats, or only say whether it would be possible. Raises Ds01Error with every mistake of the roster."""
    name = checked(request.name, "name of a class")
    now = world.clock.now()
    begin, length = times(world, now, request.begins, request.length_seconds, request.ends)
    check_who(Kind.CLASS, caller.limits)
    async with world.rosters:
        people = await asyncio.to_thread(_people, world, request)
    seats, each, wanted = _seats(request, len(people))
    image = await _image(world, caller, name, request.image)
    meant = Wanted(
        now=now, name=name, kind=Kind.CLASS, ask=wanted, uids=frozenset(people.values()), length=length, image=image,
        each=each, begins=dates(world, begin, request.until),
        keep=None if request.keep_seconds is None else lasting(request.keep_seconds),
    )  # fmt: skip
    ways = await notices(world)
    if request.check_only:
        found = await world.ledger.read(lambda books: decide(books, world, caller, meant, ways))
    else:
        users = await asyncio.to_thread(lambda: [world.directory.by_uid(uid) for uid in meant.uids])
        found = await world.ledger.write(lambda books: _put(books, world, caller, meant, ways, users))
    return ClassOpened(
        dates=drawn(world, {caller.uid: caller.user.login}, found, caller), seats=seats, people=len(people),
        image=image, zone=str(world.zone), notes=_notes(seats, len(people)),
    )  # fmt: skip


def _put(
    books: Books, world: World, caller: Caller, meant: Wanted, ways: Mapping[Uid, timedelta],
    users: Iterable[User | None],
) -> tuple[Booking, ...]:  # fmt: skip
    """Everybody on the roster is known from now on: a uid that has changed hands stands for who has it now."""
    for user in users:
        if user is not None:
            account(books, user, meant.now)
    return put(books, world, caller, meant, ways)


def _people(world: World, request: ClassRequest) -> dict[str, Uid]:
    """The accounts of everybody on the roster, by login."""
    entries = [Entry(line=one.line, login=one.login) for one in request.roster]
    if not entries:
        raise roster.refused(request.roster_file, ["it has nobody in it"])
    if len(entries) > roster.MOST:
        raise roster.refused(request.roster_file, [roster.too_many(len(entries))])
    found = {one.login: world.directory.by_login(one.login) for one in entries}
    missing = [one for one in entries if found[one.login] is None]
    if missing:
        known = [login for login, user in found.items() if user is not None]
        meant = {one.login: _meant(world, one.login, known) for one in missing}
        raise roster.unknown(request.roster_file, missing, meant)
    return {login: user.uid for login, user in found.items() if user is not None}


def _meant(world: World, login: str, known: Sequence[str]) -> str:
    """Another way to write it that the server knows: with the domain of the others, or without."""
    domains = {other.partition("@")[2] for other in known if "@" in other}
    tries = [login.lower(), login.partition("@")[0], *(f"{login}@{domain}" for domain in sorted(domains))]
    return next((other for other in tries if other != login and world.directory.by_login(other) is not None), "")


def _seats(request: ClassRequest, people: int) -> tuple[int, int, GpuAsk]:
    """How many seats, how many GPUs each, and all of them together."""
    seats = people if request.seats is None else request.seats
    if seats < 1:
        raise Ds01Error(BAD_REQUEST, "A class has at least one seat.", hint=f"--seats {people}")
    try:
        one = ask(request.gpus, request.memory_bytes)
    except ValueError as error:
        raise Ds01Error(
            BAD_REQUEST, f"--gpus {request.gpus} cannot be read.", reason=f"{error}.",
            hint="Use --gpus 1g.10gb or --gpus 1",
        ) from error  # fmt: skip
    if one.count < 1:
        raise Ds01Error(BAD_REQUEST, "A seat is at least one GPU, or a part of one.", hint="--gpus 1g.10gb")
    return seats, one.count, replace(one, count=one.count * seats)


async def _image(world: World, caller: Caller, name: str, asked: str) -> str:
    """The image of all, which must be there now: thirty people cannot wait for it at the begin."""
    reference = with_tag(asked) if asked else image_reference(caller.uid, name)
    if not await may_lend(world, caller, reference):
        raise Ds01Error(
            NO_IMAGE, f"There is no image '{reference}' for the class.",
            reason="It must be on the server before the class is opened, so that nobody waits for it at the begin.",
            hint=f"ds01 image create {name}" if not asked else "ds01 image list",
        )  # fmt: skip
    return reference


def _notes(seats: int, people: int) -> tuple[str, ...]:
    if seats < people:
        return (
            f"{many(people, 'person').replace('persons', 'people')} for {many(seats, 'seat')}: who comes first sits.",
        )
    if seats > people:
        return (f"{many(seats - people, 'seat')} more than people on the roster: {many(people, 'seat')} would do.",)
    return ()


# for those on the roster -------------------------------------------------------------------------------
async def seat_of(world: World, caller: Caller, name: str) -> ClassSeat:
    """What somebody on the roster launches with. Raises Ds01Error (``booking.unknown``)."""

    def read(books: Books) -> ClassSeat:
        found = [one for one in books.bookings() if one.kind is Kind.CLASS and caller.uid in one.uids]
        mine = next((one for one in found if one.name == name), None)
        if mine is None:
            meant = nearest(name, {one.name for one in found})
            raise Ds01Error(
                NO_BOOKING, f"You are in no class named '{name}'." + (f" Did you mean '{meant}'?" if meant else ""),
                hint="ds01 class list",
            )  # fmt: skip
        one = replace(mine.ask, count=mine.share)
        return ClassSeat(
            name=name, image=mine.image, gpus=flags(replace(one, memory_bytes=0)).removeprefix("--gpus "),
            memory_bytes=one.memory_bytes, on=mine.on(world.clock.now()),
            begins_at=mine.begins_at.astimezone(world.zone).isoformat(),
            ends_at=mine.ends_at.astimezone(world.zone).isoformat(),
        )  # fmt: skip

    return await world.ledger.read(read)
