"""A server's life: it ends well when told to, comes back when killed, and its log stands in nobody's way."""

import json
import signal
import threading
import time

FAST = {"MLOPS_LOG_SECONDS": 0.3}
LOGGED = (
    "import json, sys, polars as pl; from pathlib import Path\n"
    "files = sorted(str(path) for path in Path(sys.argv[1]).rglob('*.parquet'))\n"
    "frame = pl.read_parquet(files, hive_partitioning=False) if files else pl.DataFrame({'prediction_id': []})\n"
    "print(json.dumps({'files': files, 'columns': frame.columns, 'ids': frame['prediction_id'].to_list(),"
    " 'last': frame.tail(1).to_dicts()}, default=str))\n"
)


def logged(project, folder="logs/predictions"):
    return project.script(LOGGED, folder)


def test_what_was_predicted_is_logged_as_records(project, serve, rows):
    server = serve(project, MLOPS_LOG_REDACT="dest, flight", **FAST)
    made = server.predict(rows[:50])
    server.wait(lambda: server.metric("mlops_log_rows_total") == 50)
    found = logged(project)
    assert found["ids"] == [each["prediction_id"] for each in made]
    assert "dest" not in found["columns"]
    assert "flight" not in found["columns"]
    last = found["last"][0]
    assert last["model_version"] == "2"
    assert last["probability_True"] == made[-1]["probabilities"]["True"]
    assert "/date=20" in found["files"][0]


def test_sigterm_finishes_open_requests_and_writes_the_log(project, serve, rows):
    server = serve(project)
    replies = []

    def ask():
        client = type(server)(server.port, server.process, server.output)
        replies.append(client.post({"inputs": rows * 10}))
        client.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    server.wait(lambda: '"message": "request"' in server.output.read_text() or replies)
    assert server.stop() == 0
    for thread in threads:
        thread.join()
    assert [reply.status for reply in replies] == [200] * 3
    answered = {each["prediction_id"] for reply in replies for each in reply.json["predictions"]}
    assert set(logged(project)["ids"]) == answered
    lines = server.lines()
    requests = [line for line in lines if line["message"] == "request"]
    assert [(line["status"], line["rows"], line["version"]) for line in requests] == [(200, 10_000, "2")] * 3
    assert {"time", "level", "logger", "message"} <= set(lines[0])


def test_a_server_that_was_killed_starts_again_and_its_parts_are_whole(project, serve, rows):
    server = serve(project, **FAST)
    first = [each["prediction_id"] for each in server.predict(rows[:20])]
    server.wait(lambda: server.metric("mlops_log_rows_total") == 20)
    server.predict(rows)
    assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    again = serve(project, **FAST)
    second = [each["prediction_id"] for each in again.predict(rows[:5])]
    assert again.stop() == 0
    ids = logged(project)["ids"]
    assert set(first + second) <= set(ids)
    assert len(ids) in (25, 1025), "a part is there as a whole or not at all"


def test_a_log_that_cannot_be_written_fails_no_request(project, serve, rows):
    (project.path / "logs").write_text("a file where the folder would be", encoding="utf-8")
    server = serve(project, MLOPS_LOG_BUFFER=100, **FAST)
    for _ in range(3):
        assert len(server.predict(rows[:60])) == 60
    server.wait(lambda: server.metric("mlops_log_failures_total") > 0)
    assert server.metric("mlops_log_dropped_rows_total") == 120
    assert server.metric("mlops_log_waiting_rows") == 60
    start = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - start < 20
    errors = [line for line in server.lines() if line["level"] == "error"]
    assert errors[0]["message"] == "prediction log cannot be written"
    assert errors[-1] == {**errors[-1], "message": "predictions were not logged", "rows": 60}


def test_a_full_disk_fails_no_request(project, serve, rows, tmp_path):
    """`write_parquet` meets ENOSPC, as /dev/full gives it to everybody."""
    folder = tmp_path / "full"
    folder.mkdir()
    patch = (
        "import polars as pl\n"
        "def full(self, file, **_):\n"
        "    with open('/dev/full', 'wb', buffering=0) as device:\n"
        "        device.write(b'part')\n"
        "pl.DataFrame.write_parquet = full\n"
    )
    (folder / "sitecustomize.py").write_text(patch, encoding="utf-8")
    server = serve(project, PYTHONPATH=folder, **FAST)
    assert len(server.predict(rows[:60])) == 60
    server.wait(lambda: server.metric("mlops_log_failures_total") > 0)
    assert len(server.predict(rows[:60])) == 60
    assert server.stop() == 0
    why = [line["why"] for line in server.lines() if line["message"] == "prediction log cannot be written"]
    assert "No space left" in why[0]
    assert json.dumps(logged(project)["files"]) == "[]"
