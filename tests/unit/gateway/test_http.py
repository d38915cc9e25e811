"""The strict reader, with h11 as the second opinion: what we accept, h11 reads in the same way."""

from __future__ import annotations

import contextlib

import h11
import pytest
from dev.llhttp import read_request
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.http import Framing, Head, parse_answer, parse_request
from tests.effort import not_for_hours, tries

PLAIN = b"GET /v1.41/containers/json?all=1 HTTP/1.1\r\nHost: docker\r\nUser-Agent: x"


def refused(head: bytes) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        parse_request(head)
    return caught.value


def test_a_plain_request_is_read() -> None:
    head = parse_request(PLAIN)
    assert (head.method, head.target) == ("GET", "/v1.41/containers/json?all=1")
    assert head.headers == {"host": "docker", "user-agent": "x"}
    assert head.framing.empty
    assert not head.close


def test_an_upgrade_counts_only_with_its_connection_header() -> None:
    assert parse_request(PLAIN + b"\r\nUpgrade: tcp\r\nConnection: Upgrade").upgrade == "tcp"
    assert parse_request(PLAIN + b"\r\nUpgrade: tcp").upgrade == ""


def test_blanks_around_a_value_are_none_of_it_and_blanks_in_it_keep_nobody_waiting() -> None:
    long = b"a" + b" " * 3_000_000 + b"b"
    with not_for_hours():
        head = parse_request(PLAIN + b"\r\nX-A: \t" + long + b" \t")
    assert head.headers["x-a"] == long.decode()


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        (b"GET /x HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", "http.framing"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\nContent-Length: 1", "http.header"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nContent-Length: 1, 1", "http.framing"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nContent-Length: +1", "http.framing"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nContent-Length: 0x1", "http.framing"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nContent-Length: \xb2", "http.header"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding:\r\n chunked", "http.header"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: xchunked", "http.framing"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked ", "http.framing"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\t\r\nA: b", "http.framing"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nContent-Length: 1 ", "http.framing"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked, identity", "http.framing"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: identity", "http.framing"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nTransfer-Encoding : chunked", "http.header"),
        (b"GET /x HTTP/1.1\nHost: d", "http.line"),
        (b"GET /x HTTP/1.1\r\nHost: d\rX: y", "http.line"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nX: a\x00b", "http.header"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\nX", "http.header"),
        (b"GET /x HTTP/1.1\r\nHost: d\r\n: y", "http.header"),
        (b"GET /x", "http.request-line"),
        (b"GET /x HTTP/1.1 ", "http.request-line"),
        (b"GET  /x HTTP/1.1", "http.request-line"),
        (b"\x16\x03\x01\x02", "http.request-line"),
        (b"GET /x HTTP/1.0\r\nHost: d\r\nConnection: keep-alive", "http.version"),
        (b"PRI * HTTP/2.0", "http.version"),
        (b"GET /x HTTP/1.1\r\nX: y", "http.host"),
        (b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b", "http.header"),
        (b"GET http://x/containers/json HTTP/1.1\r\nHost: d", "http.target"),
        (b"GET /x#y HTTP/1.1\r\nHost: d", "http.target"),
        (b"OPTIONS * HTTP/1.1\r\nHost: d", "http.target"),
        (b"get /x HTTP/1.1\r\nHost: d", "http.method"),
        (b"TRACE /x HTTP/1.1\r\nHost: d", "http.method"),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: d", "http.method"),
        (b"FROB /x HTTP/1.1\r\nHost: d", "http.method"),
        (b"GET /x HTTP/1.1\r\nHost: d" + b"\r\nX: y" * 100, "http.headers"),
    ],
)
def test_p13_p19_what_could_be_read_in_two_ways_is_refused(head: bytes, rule: str) -> None:
    error = refused(head)
    assert error.rule == rule
    assert error.status in (400, 405, 431)


def second_opinion(head: bytes) -> Head | None:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(head + b"\r\n\r\n")
    try:
        event = connection.next_event()
    except h11.RemoteProtocolError:
        return None
    if not isinstance(event, h11.Request):
        return None
    headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
    chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    length = 0 if chunked else int(headers.get("content-length", "0"))
    return Head(
        method=event.method.decode(), target=event.target.decode(), headers=headers,
        framing=Framing(length=length, chunked=chunked),
    )  # fmt: skip


NAMES = st.sampled_from(
    ["Host", "Content-Length", "content-length", "Transfer-Encoding", "Connection", "X-A", "Expect", " Host", "X A", ""]
)
VALUES = st.one_of(
    st.sampled_from(["d", "0", "5", "chunked", "Chunked", "identity", "close", " 5", "5 ", "5,5", "\t5", "-1", "٣"]),
    st.text(max_size=6),
)
ENDS = st.sampled_from(["\r\n", "\r\n", "\r\n", "\n", "\r", "\r\n "])
HEADS = st.builds(
    lambda first, fields: (
        first + "".join(f"{end}{name}{colon}{value}" for end, name, colon, value in fields)
    ).encode(),
    st.sampled_from(
        ["GET /a HTTP/1.1", "POST /a?b HTTP/1.1", "PUT /a HTTP/1.1", "GET /a HTTP/1.0", "GET\t/a HTTP/1.1"]
    ),
    st.lists(st.tuples(ENDS, NAMES, st.sampled_from([": ", ":", " :", ":\t"]), VALUES), max_size=5),
)


@settings(max_examples=tries(600), deadline=None)
@given(HEADS)
@example(b"GET /a HTTP/1.1\r\nHost: d\r\nContent-Length: 5")
def test_p13_what_we_accept_h11_reads_alike(head: bytes) -> None:
    try:
        ours = parse_request(head)
    except RefusedError:
        return
    theirs = second_opinion(head)
    assert theirs is not None
    assert (ours.method, ours.target, ours.framing) == (theirs.method, theirs.target, theirs.framing)
    assert set(ours.headers) == set(theirs.headers)


@settings(max_examples=tries(600), deadline=None)
@given(HEADS)
@example(b"POST /a HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked")
@example(b"GET /a HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp")
def test_p13_what_we_accept_llhttp_reads_alike(head: bytes) -> None:
    try:
        ours = parse_request(head)
    except RefusedError:
        return
    theirs = read_request(head + b"\r\n\r\n")
    assert theirs is not None
    assert (ours.method, ours.target) == (theirs.method, theirs.target)
    assert ours.headers == {name: value.strip(" \t") for name, value in theirs.headers.items()}
    assert ours.framing.chunked == theirs.chunked


@settings(max_examples=tries(300), deadline=None)
@given(st.binary(max_size=200))
def test_p13_no_bytes_make_the_reader_fail(data: bytes) -> None:
    with contextlib.suppress(RefusedError):
        parse_request(data)


def test_p24_an_odd_answer_of_the_engine_is_no_answer() -> None:
    for head in (
        b"HTTP/1.1 20 OK",
        b"ICY 200 OK",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
    ):
        with pytest.raises(RefusedError):
            parse_answer(head, "GET")
    assert parse_answer(b"HTTP/1.1 200 OK", "GET").framing.until_close
    assert parse_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9", "HEAD").framing.empty
    assert parse_answer(b"HTTP/1.1 204 No Content", "GET").framing.empty
