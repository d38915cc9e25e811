"""A list that is written row by row is the list, also when most of it was told before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.names import NameFilter
from ds01.gateway.containerlist import KEPT_BYTES, ROW_BYTES, ContainerList
from ds01.gateway.door import Door
from ds01.gateway.registry import Registry
from ds01.gateway.show import View
from ds01.gateway.things import Found
from ds01.gateway.upstream import UpstreamError
from ds01.wire.door import DoorContainer, DoorUser
from ds01.wire.holdings import DoorNetwork
from tests.effort import tries

MALLORY = DoorUser(uid=1002, gid=1002, login="mallory", admin=False)
ADMIN = DoorUser(uid=9, gid=9, login="root2", admin=True)
IDS = ["a" * 64, "b" * 64, "c" * 64]
LAB = DoorNetwork(id="n" * 64, uid=1002, name="lab", stored="lab._.1002")
ALL = NameFilter([])


class Watched(View):
    """A view that counts the rows that were read."""

    read = 0

    def row(self, found: Found) -> Found | None:
        self.read += 1
        return super().row(found)


def hers(index: int, name: str = "", uid: int = 1002) -> DoorContainer:
    plain = name or f"c{index}"
    return DoorContainer(id=IDS[index], uid=uid, name=plain, stored_name=f"{plain}._.{uid}")


def registry() -> Registry:
    found = Registry(Door("/nowhere"))
    for owned in (hers(0), hers(1), hers(2, uid=1001), LAB):
        found.learn(owned)
    return found


def row(index: int, **more: Any) -> Found:
    networks = {"lab._.1002": {"Links": None, "NetworkID": LAB.id}}
    return {"Id": IDS[index], "Names": ["/x"], "Labels": {}, "NetworkSettings": {"Networks": networks}, **more}


def told(*rows: Any) -> bytes:
    """As the engine writes it."""
    return json.dumps(rows, separators=(",", ":")).encode() + b"\n"


def shown(rows: ContainerList, view: View, data: bytes, names: NameFilter = ALL) -> Any:
    return json.loads(rows.shown(view, data, names))


TEXTS = st.text(max_size=8) | st.sampled_from(['"},{"Id":"', '},{"Id":"', '\\"}', '[{"Id":"', "Status"])
INNER = st.recursive(
    TEXTS | st.integers(-(2**63), 2**64 - 1) | st.none(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Id", "x"]) | TEXTS, inner, max_size=3)
    ),
)
ROWS = st.builds(
    lambda index, labels, more, order: (
        {"Id": IDS[index], **more, "Labels": labels} if order else {**more, "Labels": labels, "Id": IDS[index]}
    ),
    st.integers(0, 2),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
    st.dictionaries(st.sampled_from(["Command", "Ports", "Id2"]), INNER, max_size=3),
    st.integers(0, 3),
)


@settings(max_examples=tries(200), deadline=None)
@given(st.lists(st.lists(ROWS, max_size=4), min_size=1, max_size=4), st.booleans())
def test_o15_row_by_row_it_is_what_it_is_as_a_whole(lists: list[list[Found]], admin: bool) -> None:
    rows, known = ContainerList(), registry()
    view = View(known, ADMIN if admin else MALLORY)
    for each in [*lists, *lists]:
        every = view.rows(json.loads(told(*each)))
        assert shown(rows, view, told(*each)) == every
        assert json.loads(rows.shown(view, told(*each), ALL, 1)) == every[:1]


def test_what_is_told_again_is_not_read_again() -> None:
    rows, view = ContainerList(), Watched(registry(), MALLORY)
    data = told(row(0), row(1, Status="Up 1 second"), row(2))
    assert [each["Names"] for each in shown(rows, view, data)] == [["/c0"], ["/c1"]]
    assert view.read == 3
    assert shown(rows, view, told(row(0), row(1, Status="Up 2 seconds")))[1]["Status"] == "Up 2 seconds"
    assert view.read == 4


def test_a_list_that_is_told_again_is_the_list_of_before() -> None:
    rows, view, data = ContainerList(), View(registry(), MALLORY), told(row(0), row(1))
    first = rows.shown(view, data, ALL)
    assert rows.shown(view, bytes(bytearray(data)), ALL) is first
    assert rows.shown(view, told(row(0), row(1, State="exited")), ALL) != first
    assert rows.shown(view, data, ALL) == first
    assert rows.shown(view, data, NameFilter(["^c1$"])) != first
    assert rows.shown(View(registry(), ADMIN), data, ALL) != first


def test_o15_a_list_with_what_is_anothers_is_looked_at_anew() -> None:
    rows, known, data = ContainerList(), registry(), told(row(0), row(2))
    view = View(known, MALLORY)
    assert [each["Names"] for each in shown(rows, view, data)] == [["/c0"]]
    known.learn(hers(2))
    assert [each["Names"] for each in shown(rows, view, data)] == [["/c0"], ["/c2"]]


def test_o15_a_container_that_is_renamed_or_gone_to_another_is_shown_as_it_is_now() -> None:
    rows, known, data = ContainerList(), registry(), told(row(0), row(1))
    view = View(known, MALLORY)
    assert len(shown(rows, view, data)) == 2
    known.learn(hers(0, "new"))
    known.learn(hers(1, uid=1001))
    assert [each["Names"] for each in shown(rows, view, data)] == [["/new"]]
    known.forget(IDS[0])
    assert shown(rows, view, data) == []


def test_o15_the_list_of_before_is_not_told_again_when_one_on_it_is_gone() -> None:
    rows, known, data = ContainerList(), registry(), told(row(0), row(1))
    view = View(known, MALLORY)
    assert len(shown(rows, view, data)) == len(shown(rows, view, data)) == 2
    known.forget(IDS[0])
    assert [each["Names"] for each in shown(rows, view, data)] == [["/c1"]]


def test_one_users_rows_are_not_anothers() -> None:
    rows, known, data = ContainerList(), registry(), told(row(0))
    other = told(row(0, NetworkSettings={"Networks": {"of-an-admin": {"Links": None}}}))
    root = DoorUser(uid=1002, gid=1002, login="mallory", admin=True)
    assert shown(rows, View(known, root), other)[0]["NetworkSettings"]["Networks"] == {"of-an-admin": {"Links": None}}
    assert shown(rows, View(known, MALLORY), other)[0]["NetworkSettings"]["Networks"] == {}
    assert shown(rows, View(known, MALLORY), data)[0]["Names"] == ["/c0"]
    assert shown(rows, View(known, ADMIN), data)[0]["Names"] == ["/c0._.1002"]


def test_a_network_that_is_gone_is_not_shown_any_more() -> None:
    rows, known, data = ContainerList(), registry(), told(row(0))
    view = View(known, MALLORY)
    assert list(shown(rows, view, data)[0]["NetworkSettings"]["Networks"]) == ["lab"]
    known.forget(LAB.id)
    assert shown(rows, view, data)[0]["NetworkSettings"]["Networks"] == {}
    known.learn(LAB)
    assert list(shown(rows, view, data)[0]["NetworkSettings"]["Networks"]) == ["lab"]


def test_links_are_called_by_what_the_others_are_called_now() -> None:
    rows, known = ContainerList(), registry()
    view = View(known, MALLORY)
    data = told(row(0, NetworkSettings={"Networks": {"lab._.1002": {"Links": [f"{IDS[1]}:db"]}}}))
    assert shown(rows, view, data)[0]["NetworkSettings"]["Networks"]["lab"]["Links"] == ["c1:db"]
    known.learn(hers(1, "new"))
    assert shown(rows, view, data)[0]["NetworkSettings"]["Networks"]["lab"]["Links"] == ["new:db"]


def test_names_are_looked_at_in_rows_that_were_read_before_too() -> None:
    rows, view, data = ContainerList(), View(registry(), MALLORY), told(row(0), row(1))
    for _ in range(2):
        assert [each["Names"] for each in shown(rows, view, data, NameFilter(["^/?c1$"]))] == [["/c1"]]
    assert len(shown(rows, view, data)) == 2


def test_no_more_is_kept_than_that() -> None:
    rows, known = ContainerList(), Registry(Door("/nowhere"))
    view, text, seen = View(known, MALLORY), "x" * (ROW_BYTES // 3), 0
    for number in range(KEPT_BYTES // ROW_BYTES * 2):
        id_ = f"{number:064x}"
        known.learn(DoorContainer(id=id_, uid=1002, name="n", stored_name="n._.1002"))
        assert len(shown(rows, view, told({"Id": id_, "Command": text}))) == 1
        seen = max(seen, rows.size)
    assert KEPT_BYTES // 2 < seen <= KEPT_BYTES


def test_a_large_row_is_not_kept() -> None:
    rows, view = ContainerList(), Watched(registry(), MALLORY)
    for _ in range(2):
        assert len(shown(rows, view, told(row(0, Command="x" * ROW_BYTES)))) == 1
    assert (rows.size, view.read) == (0, 2)


def test_what_is_not_kept_any_more_is_not_counted() -> None:
    rows, known = ContainerList(), registry()
    for _ in range(3):
        assert len(shown(rows, View(known, MALLORY), told(row(0), row(1)))) == 2
        size = rows.size
        known.learn(DoorNetwork(id="m" * 64, uid=1002, name="other", stored="other._.1002"))
        assert shown(rows, View(known, MALLORY), told(row(0), row(1, State="exited")))
        assert 0 < rows.size < 2 * size


@pytest.mark.parametrize("data", [b"[]\n", b"null\n", b"[ ]", b'[{"Id":"a"},{"Id":"b"}]'])
def test_lists_of_nothing_of_hers_are_empty(data: bytes) -> None:
    assert shown(ContainerList(), View(registry(), MALLORY), data) == []


@pytest.mark.parametrize("data", [b"", b"[", b'[{"Id":"a"},{"Id":"b}]', b'[{"Id":"a"}}]', b'[{"Id":"a"},{"Id":"b"}'])
def test_what_is_no_json_is_not_shown(data: bytes) -> None:
    with pytest.raises(UpstreamError):
        ContainerList().shown(View(registry(), MALLORY), data, ALL)
