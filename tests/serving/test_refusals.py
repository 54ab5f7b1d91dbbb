"""What a server refuses: always with a reason, never with an error of its own, and it goes on serving."""

import http.client
import json
from collections import Counter
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.openapi import JUNK, Announced, bodies
from support.server import JSON

KEYS = st.sampled_from(["inputs", "instances", "dataframe_records", "dataframe_split", "params", "x"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"distance": 0}, "distance"),
        ({"distance": 1.5}, "distance"),
        ({"distance": "far"}, "distance"),
        ({"distance": 2**40}, "distance"),
        ({"origin": "nyc"}, "origin"),
        ({"temp": 900}, "temp"),
        ({"carrier": None}, "carrier"),
        ({"scheduled_departure": "yesterday"}, "scheduled_departure"),
        ({"flight": -1}, "flight"),
    ],
)
def test_a_row_that_breaks_the_contract_is_named_with_its_field(champion, rows, changes, field):
    reply = champion.post({"inputs": [rows[0], {**rows[1], **changes}]})
    assert reply.status == 422, reply
    assert reply.json["count"] == 1
    assert reply.json["faults"][0]["row"] == 1
    assert reply.json["faults"][0]["field"] == field
    assert reply.json["error"].startswith(f"row 1, {field}: ")


def test_a_column_that_is_not_there_is_named(champion, rows):
    row = {name: value for name, value in rows[0].items() if name != "dest"}
    assert champion.post({"inputs": [row]}).json["faults"][0]["field"] == "dest"
    head, line = ",".join(row), ",".join(str(value) for value in row.values())
    reply = champion.post(f"{head}\n{line}\n".encode(), content_type="text/csv")
    assert reply.status == 422
    assert reply.json["faults"][0]["field"] == "dest"


def test_only_so_many_faults_are_told(champion, rows):
    reply = champion.post({"inputs": [{**row, "distance": 0} for row in rows[:300]]})
    assert reply.json["count"] == 300
    assert len(reply.json["faults"]) == 20


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"inputs": [NaN]}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"inputs": 3}', "application/json", 422),
        (b"null", "application/json", 422),
        (b"", "text/csv", 400),
        (b"a,b\n1\n1,2,3\n", "text/csv", 400),
        (b"a,b\n1,2\n", "text/csv", 422),
        (b"<xml/>", "application/xml", 415),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b"{}", "", 415),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_as_what_it_is(champion, body, kind, status):
    reply = champion.post(body, content_type=kind)
    assert reply.status == status, reply
    assert reply.json["error"]


def test_a_body_and_a_batch_have_limits(serve, original, rows):
    server = serve(original, MLOPS_BODY_LIMIT=20_000, MLOPS_ROW_LIMIT=10, MLOPS_LOG_URI="")
    assert server.post({"inputs": rows[:10]}).status == 200
    reply = server.post({"inputs": rows[:11]})
    assert (reply.status, "at most 10" in reply.json["error"]) == (413, True)
    assert server.post(b"a\n" + b"1\n" * 11, content_type="text/csv").status == 413
    assert server.post(b" " * 20_001).status == 413
    # Sent in pieces, a body does not say how long it is.
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        pieces = (b" " * 1_000 for _ in range(21))
        connection.request(
            "POST", "/invocations", pieces, {**JSON, "transfer-encoding": "chunked"}, encode_chunked=True
        )
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["error"][-11:]) == (413, "20000 bytes")
    assert server.post({"inputs": rows[:10]}).status == 200


def test_2000_malformed_requests_get_no_answer_of_500(champion, rows):
    """Most are made from the server's own description; the others are of no form that it knows."""
    document = champion.get("/openapi.json").json
    announced = Announced(document, "/invocations", "post")
    told = Counter()

    def send(body, **headers):
        reply = champion.post(body, **headers)
        assert reply.status < 500, (reply, body)
        announced.check(reply)
        told[reply.status] += 1

    limits = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck), "database": None}

    @settings(max_examples=1500, **limits)
    @given(bodies(document, rows[0]))
    def rows_around_the_contract(body):
        send(body)

    @settings(max_examples=400, **limits)
    @given(st.one_of(JUNK, st.dictionaries(KEYS, JUNK, max_size=2)))
    def other_bodies(body):
        send(body)

    @settings(max_examples=400, **limits)
    @given(st.binary(max_size=200), st.sampled_from(["application/json", "text/csv", "text/plain", ""]))
    def bytes_of_any_kind(body, kind):
        send(body, content_type=kind)

    @settings(max_examples=400, **limits)
    @given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
    def a_good_body_with_some_bytes_changed(place, change):
        good = json.dumps({"inputs": rows[:1]}).encode()
        send(good[:place] + change + good[place + len(change) :])

    for attack in (rows_around_the_contract, other_bodies, bytes_of_any_kind, a_good_body_with_some_bytes_changed):
        attack()
    assert told.total() - told[200] >= 2000, told
    assert {200, 400, 415, 422} <= set(told)
    assert champion.predict(rows[:1])


def test_other_paths_and_methods_are_not_there(champion):
    assert champion.get("/nothing").status == 404
    assert champion.get("/invocations").status == 405
