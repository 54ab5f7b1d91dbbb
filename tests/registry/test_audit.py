"""The audit log: what was altered is found and named, in an export and in the registry."""

import hashlib
import json
import sqlite3
from contextlib import closing


def rehashed(entry):
    """An entry with the hash of its content, by the rule that the documentation gives."""
    content = {name: value for name, value in entry.items() if name != "hash"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return content | {"hash": hashlib.sha256(text.encode()).hexdigest()}


def changed(entries, at, **values):
    return [*entries[:at], {**entries[at], **values}, *entries[at + 1 :]]


TAMPERINGS = {
    "a reason changed": (lambda e: changed(e, 1, reason="x"), "line 2 (entry 2) was changed"),
    "an approver changed, and its hash made anew": (
        lambda e: changed(e, 1, **rehashed({**e[1], "approver": "Eve"})),
        "line 3 (entry 3) does not follow from entry 2",
    ),
    "an entry taken out": (lambda e: [e[0], *e[2:]], "line 2 (entry 3) comes after entry 1"),
    "the first taken out": (lambda e: e[1:], "line 1 (entry 2) comes first"),
    "two exchanged": (lambda e: [e[0], e[2], e[1], e[3]], "line 2 (entry 3) comes after entry 1"),
    "one said twice": (lambda e: [e[0], e[0], *e[1:]], "line 2 (entry 1) comes after entry 1"),
    "another's log": (
        lambda e: changed(e, 3, **rehashed({**e[3], "model": "other"})),
        "line 4 (entry 4) is of the model other",
    ),
}


def write(path, entries):
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return path


def test_an_export_is_verified_line_by_line(project, tmp_path):
    done = project.mlops("audit", "export", tmp_path / "log.jsonl")
    assert "4 entries of flight-delays" in done.out
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert entries == [rehashed(entry) for entry in entries]
    told = project.mlops("audit", "verify", tmp_path / "log.jsonl").out
    assert told.strip().endswith(entries[-1]["hash"])
    for name, (tamper, expected) in TAMPERINGS.items():
        file = write(tmp_path / "tampered.jsonl", tamper(entries))
        assert expected in project.refuses("audit", "verify", file, code=1), name
    (tmp_path / "tampered.jsonl").write_text('{"a": 1}\nnot json\n', encoding="utf-8")
    told = project.refuses("audit", "verify", tmp_path / "tampered.jsonl", code=1)
    assert "line 1 is no entry" in told
    assert "line 2 is no entry" in told
    assert "cannot be read" in project.refuses("audit", "verify", tmp_path / "none.jsonl", code=2)


ALTERATIONS = [
    (
        "UPDATE params SET value = replace(value, 'gate', 'Eve') WHERE key = 'mlops.audit.000002'",
        "broken: entry 2 was changed",
    ),
    ("DELETE FROM params WHERE key = 'mlops.audit.000004'", "entry 4 is missing, and 4 have taken effect"),
    (
        "UPDATE registered_model_tags SET value = replace(value, 'gate', 'Eve') WHERE key = 'mlops.audit.000002'",
        "entry 2: its copy on the registered model was changed",
    ),
    (
        "DELETE FROM registered_model_tags WHERE key = 'mlops.audit.000003'",
        "its copy on the registered model is missing",
    ),
    ("DELETE FROM params WHERE key LIKE 'mlops.audit.%'", "the log of flight-delays is empty"),
]


def test_a_registry_that_was_altered_is_found_out(project):
    store = project.path / "mlflow.db"
    whole = store.read_bytes()
    for statement, expected in ALTERATIONS:
        with closing(sqlite3.connect(store)) as connection, connection:
            assert connection.execute(statement).rowcount
        assert expected in project.refuses("audit", "verify", code=1), statement
        with closing(sqlite3.connect(store)) as connection, closing(sqlite3.connect(":memory:")) as memory:
            memory.deserialize(whole)
            memory.backup(connection)
    project.mlops("audit", "verify")
