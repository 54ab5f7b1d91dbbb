"""The formats of MLflow, SageMaker, Azure ML and Vertex AI: the same rows give the same predictions."""

import csv
import io
import json
import shutil
import urllib.parse

import pytest
from support.environment import UNPACK
from support.server import free_port


def split(rows):
    columns = list(rows[0])
    return {"columns": columns, "data": [[row[name] for name in columns] for row in rows]}


def as_csv(rows):
    stream = io.StringIO()
    writer = csv.DictWriter(stream, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


def values(predictions):
    return [(each["prediction"], each["probabilities"]) for each in predictions]


def test_every_format_of_every_platform_gives_the_same_predictions(champion, rows):
    rows = rows[:20]
    expected = values(champion.predict(rows))
    assert len(expected) == 20
    bodies = [
        {"inputs": {name: [row[name] for row in rows] for name in rows[0]}},
        {"dataframe_records": rows},
        {"dataframe_split": split(rows)},
        {"instances": rows, "parameters": {"confidence": 0.5}},
    ]
    for body in bodies:
        reply = champion.post(body, content_type="application/json; charset=utf-8")
        assert reply.status == 200, reply
        assert values(reply.json["predictions"]) == expected
    reply = champion.post(as_csv(rows), content_type="text/csv")
    assert reply.status == 200, reply
    assert values(reply.json["predictions"]) == expected


def test_a_prediction_says_what_it_is_how_sure_whose_and_by_which_name(champion, rows):
    (prediction,) = champion.predict(rows[:1])
    assert set(prediction) == {"prediction", "probabilities", "prediction_id", "model_version"}
    assert prediction["prediction"] in (True, False)
    assert set(prediction["probabilities"]) == {"True", "False"}
    assert sum(prediction["probabilities"].values()) == pytest.approx(1)
    assert prediction["model_version"] == "2"
    assert prediction["prediction_id"] != champion.predict(rows[:1])[0]["prediction_id"]


def test_ids_are_the_callers_if_it_gives_some(champion, rows):
    ids = [each["prediction_id"] for each in champion.predict(rows[:2], x_prediction_id="order-7")]
    assert ids == ["order-7-0", "order-7-1"]
    assert champion.predict(rows[:1], x_prediction_id="order-7")[0]["prediction_id"] == "order-7"
    ids = [each["prediction_id"] for each in champion.predict([{**rows[0], "prediction_id": "mine"}, rows[1]])]
    assert ids[0] == "mine"
    assert len(ids[1]) == 36


def test_csv_comes_back_as_csv_where_it_is_asked_for(champion, rows):
    reply = champion.post(as_csv(rows[:3]), content_type="text/csv", accept="text/csv")
    assert reply.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(reply.body.decode())))
    assert [row["model_version"] for row in table] == ["2"] * 3
    found = [float(row["probability_True"]) for row in table]
    assert found == [each["probabilities"]["True"] for each in champion.predict(rows[:3])]


def test_no_rows_have_no_predictions(champion):
    assert champion.predict([]) == []


def test_an_unknown_category_and_a_missing_value_are_the_models_to_judge(champion, rows):
    row = {**rows[0], "carrier": "ZZ", "temp": None, "dest": "XXX"}
    assert champion.predict([row])[0]["prediction"] in (True, False)


def test_health_says_which_model_serves(champion):
    assert champion.get("/ping").json == {"model": champion.get("/ping").json["model"], "version": "2"}
    assert champion.get("/live").status == 200


def test_the_openapi_page_has_the_row_of_the_contract(champion):
    document = champion.get("/openapi.json").json
    row = document["components"]["schemas"]["Row"]
    assert row["properties"]["carrier"] == {"maxLength": 2, "minLength": 2, "title": "Carrier", "type": "string"}
    assert {"minimum": -60.0, "maximum": 140.0, "type": "number"} in row["properties"]["temp"]["anyOf"]
    assert "distance" in row["required"]
    assert "flight" not in row["required"]
    assert "arr_delay" not in row["properties"]
    assert {"/ping", "/live", "/invocations", "/metrics"} <= set(document["paths"])
    assert champion.get("/docs").status == 200


def test_the_openapi_page_says_in_which_types_answers_come(champion, rows):
    paths = champion.get("/openapi.json").json["paths"]
    answers = [
        ("/ping", "get", champion.get("/ping")),
        ("/live", "get", champion.get("/live")),
        ("/metrics", "get", champion.get("/metrics")),
        ("/invocations", "post", champion.post({"inputs": rows[:1]})),
        ("/invocations", "post", champion.post(as_csv(rows[:1]), content_type="text/csv", accept="text/csv")),
        ("/invocations", "post", champion.post(b"{")),
        ("/invocations", "post", champion.post({"inputs": [{}]})),
        ("/invocations", "post", champion.post(b"", content_type="text/xml")),
    ]
    for path, method, reply in answers:
        told = paths[path][method]["responses"][str(reply.status)]["content"]
        assert reply.headers["content-type"].partition(";")[0] in told, (path, reply)


def test_metrics_count_requests_and_rows(champion, rows):
    before = champion.metric("mlops_predictions_total")
    champion.predict(rows[:7])
    assert champion.metric("mlops_predictions_total") == before + 7
    text = champion.get("/metrics").body.decode()
    assert 'mlops_requests_total{status="200"}' in text
    assert 'mlops_model_info{name="' in text


def test_vertex_ai_brings_port_routes_and_a_bundle_at_a_url(project, serve, rows, tmp_path):
    """Its variables are all there is: the folder is no project."""
    health, predict = "/v1/endpoints/1/deployedModels/2", "/v1/endpoints/1/deployedModels/2:predict"
    env = {
        "AIP_HTTP_PORT": free_port(),
        "AIP_HEALTH_ROUTE": health,
        "AIP_PREDICT_ROUTE": predict,
        "AIP_STORAGE_URI": f"file://{urllib.parse.quote(str(project.path / 'models/bundle'))}",
        "MLOPS_MODEL_VERSION": "7",
    }
    empty, scratch = tmp_path / "empty", tmp_path / "scratch"
    empty.mkdir()
    scratch.mkdir()
    env["TMPDIR"] = scratch
    server = serve(project, cwd=empty, port=env["AIP_HTTP_PORT"], MLOPS_HOST="0.0.0.0", **env)  # noqa: S104
    assert server.get(health).status == 200
    assert list(scratch.glob("bundle-*/bundle.json")), "it was downloaded"
    reply = server.post({"instances": rows[:2]}, predict)
    assert reply.status == 200
    assert [each["model_version"] for each in reply.json["predictions"]] == ["7", "7"]
    assert server.stop() == 0
    assert list((empty / "logs/predictions").rglob("*.parquet"))
    assert not list(scratch.glob("bundle-*"))


def test_azure_ml_brings_a_folder_and_a_digest_names_its_version(project, serve, rows, tmp_path):
    """AZUREML_MODEL_DIR holds the bundle one level down."""
    folder = tmp_path / "azureml-models/flight-delays/1"
    folder.mkdir(parents=True)
    (project.path / "models/bundle").rename(folder / "bundle")
    server = serve(project, AZUREML_MODEL_DIR=folder, MLOPS_LOG_URI="")
    (prediction,) = server.predict(rows[:1])
    assert prediction["model_version"].startswith("sha256:")
    assert json.loads(server.get("/ping").body)["version"] == prediction["model_version"]


def test_sagemaker_unpacks_an_archive_where_the_server_looks_by_itself(project, serve, rows, champion, tmp_path):
    """It lays `model.tar.gz` out below its folder and says `serve`, and nothing more."""
    folder = tmp_path / "ml/model"
    folder.mkdir(parents=True)
    archive = shutil.make_archive(tmp_path / "model", "gztar", project.path / "models/bundle")
    shutil.unpack_archive(archive, folder, **UNPACK)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    empty = tmp_path / "empty"
    empty.mkdir()
    server = serve(project, cwd=empty, SAGEMAKER_BASE_DIR=folder.parent, MLOPS_LOG_URI="")
    assert server.get("/ping").status == 200
    for body, kind in (
        (json.dumps({"instances": rows[:5]}).encode(), "application/json"),
        (as_csv(rows[:5]), "text/csv"),
    ):
        reply = server.post(body, content_type=kind)
        assert reply.status == 200, reply
        assert values(reply.json["predictions"]) == values(champion.predict(rows[:5]))
    reply = server.post(as_csv(rows[:5]), content_type="text/csv", accept="text/csv")
    assert reply.headers["content-type"].startswith("text/csv")
    assert server.stop() == 0
