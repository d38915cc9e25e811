"""I6: a uid that changes hands starts a new epoch, and its new owner inherits nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ds01.domain.container import ContainerState
from ds01.domain.events import EventType
from ds01.domain.image import ImageId, Provenance, Tag
from ds01.domain.people import Account
from ds01.services.account import account, owns
from ds01.sim.ledger import MemoryBooks, Pages
from tests.values import ALICE, BOB, NOW, container, gpu, leased, limits, slots

CAROL = replace(ALICE, login="carol", home="/home/carol")
LATER = NOW + timedelta(days=300)


def lab() -> MemoryBooks:
    books = MemoryBooks(Pages())
    books.put_slots(slots(gpu(0), gpu(1)))
    return books


def test_a_first_visit_makes_the_account_and_the_next_changes_nothing() -> None:
    books = lab()
    assert account(books, ALICE, NOW) == Account(uid=ALICE.uid, login="alice", epoch=1)
    assert account(books, ALICE, LATER) == books.account(ALICE.uid)
    assert books.events() == ()


def test_i6_a_reused_uid_inherits_no_container_no_image_and_no_lease() -> None:
    books = lab()
    account(books, ALICE, NOW)
    books.put_container(container("thesis"))
    books.put_container(container("poster", user=BOB))
    books.put_tag(
        Tag(ref="ds01-1001/thesis:latest", image=ImageId("sha256:1"), provenance=Provenance.USER, owner=ALICE.uid)
    )
    leased(books, ALICE, limits())

    carol = account(books, CAROL, LATER)

    assert carol == Account(uid=ALICE.uid, login="carol", epoch=2, since=LATER)
    (left,) = books.containers(ALICE.uid)
    assert left.state is ContainerState.QUARANTINED
    assert not owns(carol, left)
    assert books.tags(ALICE.uid) == ()
    assert leased(books, CAROL, limits(), epoch=2).slots == ("GPU-1",)
    assert books.containers(BOB.uid)[0].state is ContainerState.RUNNING
    told = [event for event in books.events() if event.type is not EventType.LEASE_GRANTED]
    assert [event.type for event in told] == [EventType.CONTAINER_QUARANTINED, EventType.ACCOUNT_CHANGED]
    assert all(event.uid is None for event in told), "neither person is shown the other's affairs"


def test_i6_coming_back_to_the_former_login_is_a_third_person() -> None:
    books = lab()
    account(books, ALICE, NOW)
    account(books, CAROL, LATER)
    assert account(books, ALICE, LATER).epoch == 3


def test_after_the_ledger_was_rebuilt_from_labels_the_epoch_stays() -> None:
    books = lab()
    books.put_account(Account(uid=ALICE.uid, login="", epoch=4))
    assert account(books, ALICE, NOW) == Account(uid=ALICE.uid, login="alice", epoch=4)
    assert owns(account(books, ALICE, NOW), replace(container("thesis"), epoch=4))
