"""The champion is followed: a new one takes over without a failed request, and an old one comes back whole."""

import threading

import pytest

FAST = {"MLOPS_POLL_SECONDS": 0.2, "MLOPS_LOG_URI": ""}
TURNS = ("1", "2", "1", "2", "1")
REQUESTS = 1_000
"""So many are answered around each change of the champion."""
SET_ALIAS = (
    "import sys; from mlflow import MlflowClient\n"
    "client = MlflowClient('sqlite:///mlflow.db', 'sqlite:///mlflow.db')\n"
    "name = client.search_registered_models()[0].name\n"
    "for version in sys.argv[1:]:\n"
    "    client.set_registered_model_alias(name, 'champion', version)\n"
    "    import time; time.sleep(1)\n"
)


def version(server):
    return server.get("/ping").json["version"]


def test_the_champion_changes_under_load_and_no_request_fails(project, serve, rows):
    server = serve(project, **FAST)
    stop, failed, seen = threading.Event(), [], []

    def ask():
        client = type(server)(server.port, server.process, server.output)
        while not stop.is_set():
            try:
                reply = client.post({"inputs": rows[:3]})
                versions = {each["model_version"] for each in reply.json["predictions"]}
                assert reply.status == 200
                assert len(versions) == 1, "one request, two models"
                seen.append(versions.pop())
            except Exception as error:
                failed.append(error)
        client.close()

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for turn in TURNS:
            done = len(seen)
            project.mlops("promote", turn, "--approver", "Bo", "--reason", "its turn")
            server.wait(lambda turn=turn: version(server) == turn)
            server.wait(lambda done=done: failed or len(seen) >= done + REQUESTS, seconds=240)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failed == []
    changes = [one for one, before in zip(seen, [None, *seen], strict=False) if one != before]
    assert changes[0] == "2"
    assert {"1", "2"} == set(changes)
    assert server.metric("mlops_model_swaps_total") == len(TURNS)


def test_a_rollback_serves_old_code_with_old_weights(project, serve, rows):
    """Version 1's features have a column that the code of today has not."""
    server = serve(project, **FAST)
    warm, cold = ({**rows[0], "temp": value} for value in (90.0, 10.0))

    def answers():
        return [each["probabilities"]["True"] for each in server.predict([warm, cold])]

    new = answers()
    assert new[0] == new[1], "version 2 does not look at the temperature"
    project.run(project.python, "-c", SET_ALIAS, "1")
    server.wait(lambda: version(server) == "1")
    assert answers() != new
    # What lies in src/ is nobody's model: it may even be broken.
    (project.path / "src" / project.package / "features.py").write_text("broken(", encoding="utf-8")
    project.mlops("score", "data/sample/flights.parquet", "one.parquet")
    project.mlops("score", "data/sample/flights.parquet", "two.parquet", "--model", "2")
    project.run(project.python, "-c", SET_ALIAS, "2")
    server.wait(lambda: version(server) == "2")
    assert answers() == new


def test_a_registry_that_is_down_changes_nothing(project, serve, rows):
    server = serve(project, **FAST)
    expected = server.predict(rows[:5])[0]["probabilities"]
    for break_it in (
        lambda file: file.rename(file.with_suffix(".away")),
        lambda file: file.write_bytes(b"no database"),
    ):
        file = project.path / "mlflow.db"
        kept = file.read_bytes()
        failures = server.metric("mlops_registry_failures_total")
        break_it(file)
        server.wait(lambda before=failures: server.metric("mlops_registry_failures_total") > before + 1)
        assert server.predict(rows[:5])[0]["probabilities"] == expected
        assert version(server) == "2"
        file.write_bytes(kept)
    project.run(project.python, "-c", SET_ALIAS, "1")
    server.wait(lambda: version(server) == "1")


def test_a_server_that_cannot_reach_its_registry_waits_unready(project, serve):
    server = serve(project, ready=False, MLOPS_TRACKING_URI="http://127.0.0.1:9", **FAST)
    server.wait(lambda: server.ready() or server.output.read_text().count("registry does not answer"), seconds=120)
    assert server.get("/live").status == 200
    reply = server.get("/ping")
    assert reply.status == 503
    assert "not loaded" in reply.json["error"]
    assert server.post({"inputs": []}).status == 503
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (("--model", "99"), {}, "99"),
        (("--model", "data"), {}, "no bundle.json"),
        (("--model", "s4://bucket/model"), {}, "s4"),
        ((), {"AZUREML_MODEL_DIR": "data"}, "AZUREML_MODEL_DIR"),
        ((), {"MLOPS_MODEL_NAME": "nobody"}, "nobody"),
        ((), {"MLOPS_LOG_URI": "s4://bucket"}, "MLOPS_LOG_URI"),
    ],
)
def test_what_cannot_be_served_is_one_line_and_exit_code_2(original, arguments, env, said):
    done = original.mlops("serve", "--port", "9", *arguments, code=2, **env)
    told = [line for line in done.err.splitlines() if line.startswith("mlops: ")]
    assert len(told) == 1
    assert said in told[0]
    assert "Traceback" not in done.out + done.err


def test_a_port_that_is_taken_is_one_line_and_exit_code_1(original, champion):
    done = original.mlops("serve", "--port", champion.port, code=1)
    (told,) = [line for line in done.err.splitlines() if line.startswith("mlops: ")]
    assert f"could not start on 127.0.0.1:{champion.port}" in told
    assert "address already in use" in done.out


def test_a_bundle_that_is_broken_ends_the_server(project, tmp_path):
    (project.path / "models/bundle/estimator.joblib").write_bytes(b"no estimator")
    done = project.mlops("serve", "--port", "9", "--model", "models/bundle", code=1)
    assert "cannot be loaded here" in done.err


def test_outside_a_project_there_has_to_be_a_bundle(project, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = project.run("mlops", "serve", cwd=empty, code=2)
    assert "no bundle was brought" in done.err
