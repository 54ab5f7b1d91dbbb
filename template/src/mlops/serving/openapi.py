# The template's: `copier update` renews this file.
"""The OpenAPI description of the server, with the row of the model that serves now."""

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

if TYPE_CHECKING:
    from mlops.serving.champion import Models
    from mlops.serving.served import Served

ROW = {"$ref": "#/components/schemas/Row"}
ROWS = {"type": "array", "items": ROW}
LIST: dict[str, Any] = {"type": "array", "items": {}}
TEXT: dict[str, Any] = {"type": "string"}


def describe(app: FastAPI, models: "Models") -> dict[str, Any]:
    """The document behind /docs."""
    served = models.current
    document = get_openapi(title=app.title, version=served.identity.version if served else "0", routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Row"] = served.compiled.json_schema() if served else {"type": "object"}
    schemas["Request"] = _request()
    schemas["Reply"] = _reply(served)
    schemas["Problem"] = _problem()
    post = document["paths"]["/invocations"]["post"]
    post["parameters"] = [
        {
            "name": "X-Prediction-Id",
            "in": "header",
            "required": False,
            "description": "The id of the prediction, numbered where there are several rows; default a new one.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        }
    ]
    post["requestBody"] = {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Request"}},
            "text/csv": {"schema": TEXT | {"description": "Rows below a header with the columns' names."}},
        },
    }
    post["responses"] = {
        "200": _content("Predictions, a row each.", "Reply"),
        "400": _content("The body is no JSON or CSV.", "Problem"),
        "413": _content("The body has too many bytes or rows.", "Problem"),
        "415": _content("Neither JSON nor CSV.", "Problem"),
        "422": _content("A row breaks the contract.", "Problem"),
        "503": _content("The model is not loaded yet.", "Problem"),
    }
    post["responses"]["200"]["content"]["text/csv"] = {"schema": TEXT}
    document["paths"]["/metrics"]["get"]["responses"]["200"]["content"] = {"text/plain": {"schema": TEXT}}
    document["paths"]["/ping"]["get"]["responses"]["503"] = _content("The model is not loaded yet.", "Problem")
    return document


def _content(description: str, schema: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _request() -> dict[str, Any]:
    columns = {"type": "object", "additionalProperties": LIST, "description": "Columns as lists of one length."}
    split = {
        "type": "object",
        "required": ["columns", "data"],
        "properties": {
            "columns": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            "data": {"type": "array", "items": LIST},
        },
    }
    forms = {
        "inputs": {"anyOf": [ROWS, columns]},
        "instances": ROWS,
        "dataframe_records": ROWS,
        "dataframe_split": split,
    }
    return {
        "type": "object",
        "description": "Rows under one of these names; `params` and `parameters` are ignored.",
        "oneOf": [{"required": [name]} for name in forms],
        "properties": forms,
    }


def _reply(served: "Served | None") -> dict[str, Any]:
    prediction: dict[str, Any] = {
        "prediction": {"type": "number"},
        "prediction_id": {"type": "string"},
        "model_version": {"type": "string"},
    }
    classes = served.bundle.classes if served else None
    if classes is not None:
        prediction["prediction"] = {"enum": classes}
        prediction["probabilities"] = {
            "type": "object",
            "properties": {str(label): {"type": "number", "minimum": 0, "maximum": 1} for label in classes},
        }
    return {
        "type": "object",
        "required": ["predictions"],
        "properties": {
            "predictions": {
                "type": "array",
                "items": {"type": "object", "required": list(prediction), "properties": prediction},
            }
        },
    }


def _problem() -> dict[str, Any]:
    fault = {"row": {"type": "integer"}, "field": {"type": "string"}, "message": {"type": "string"}}
    return {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {"type": "string"},
            "count": {"type": "integer", "description": "How many faults there are."},
            "faults": {"type": "array", "items": {"type": "object", "properties": fault}},
        },
    }
