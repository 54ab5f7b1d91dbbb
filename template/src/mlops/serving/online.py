# The template's: `copier update` renews this file.
"""The web application: health, predictions in the formats of MLflow, SageMaker, Azure ML and Vertex AI, metrics."""

import json
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic_core import from_json, to_json

from mlops.registry.bundle import as_predictions
from mlops.serving.compiled import RefusedError
from mlops.serving.formats import MalformedError, rows_of
from mlops.serving.log import Entry, PredictionLog
from mlops.serving.openapi import describe
from mlops.serving.records import ID, new_id
from mlops.serving.telemetry import Telemetry

if TYPE_CHECKING:
    from mlops.serving.champion import Models
    from mlops.serving.served import Answer, Served
    from mlops.settings import Settings

logger = logging.getLogger("mlops.requests")
ID_HEADER = "x-prediction-id"
LONGEST_ID = 200
PATIENCE = 5.0
"""Seconds that the port stays closed for the first model, which loads faster where no one asks for it meanwhile."""
INLINE_BYTES = 64 * 2**10
"""A larger body is worked on beside the event loop, which answers pings meanwhile."""


class ProblemError(Exception):
    """An answer that is no prediction."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.content = {"error": message, **more}


@dataclass(frozen=True)
class Asked:
    """What the head of a request says."""

    kind: str
    csv_wanted: bool
    id: str | None


def create_app(models: "Models", settings: "Settings") -> FastAPI:
    """The application; it starts and stops `models` and the log of predictions with itself."""
    log = PredictionLog(settings) if settings.log_uri else None
    telemetry = Telemetry(models, log)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        models.start()
        if log is not None:
            log.start()
        await run_in_threadpool(models.settled.wait, PATIENCE)
        yield
        models.stop()
        if log is not None:
            await run_in_threadpool(log.close)

    app = FastAPI(title="Predictions", lifespan=lifespan, redoc_url=None)
    service = _Service(models, settings, log, telemetry)

    def routes(name: str, default: str) -> list[str]:
        return list(dict.fromkeys([default, os.environ.get(name) or default]))

    for route in routes("AIP_HEALTH_ROUTE", "/ping"):
        app.add_api_route(route, service.ping, methods=["GET"], include_in_schema=route == "/ping")
    for route in routes("AIP_PREDICT_ROUTE", "/invocations"):
        app.add_api_route(route, service.invocations, methods=["POST"], include_in_schema=route == "/invocations")
    app.add_api_route("/live", service.live, methods=["GET"])
    app.add_api_route("/metrics", service.metrics, methods=["GET"])
    app.openapi = lambda: describe(app, models)  # type: ignore[method-assign]
    return app


class _Service:
    """What the routes do."""

    def __init__(self, models: "Models", settings: "Settings", log: PredictionLog | None, telemetry: Telemetry) -> None:
        self.models, self.settings, self.log, self.telemetry = models, settings, log, telemetry

    async def ping(self) -> Response:
        """200 once a model is loaded, 503 before: whether requests may come."""
        served = self.models.current
        if served is None:
            return _json(503, {"error": "the model is not loaded yet"})
        return _json(200, {"model": served.identity.name, "version": served.identity.version})

    async def live(self) -> Response:
        """200 as long as the process answers, with or without a model."""
        return _json(200, {"alive": True})

    async def metrics(self) -> Response:
        """Metrics for Prometheus."""
        return Response(self.telemetry.exposition(), media_type=self.telemetry.content_type)

    async def invocations(self, request: Request) -> Response:
        """Predict rows: one of inputs, instances, dataframe_records and dataframe_split, or CSV with a header."""
        start, served, rows = time.perf_counter(), self.models.current, 0
        try:
            if served is None:
                raise ProblemError(503, "the model is not loaded yet")
            asked = _asked(request)
            body = await self._body(request)
            if len(body) > INLINE_BYTES:
                response, rows = await run_in_threadpool(self._predict, served, asked, body)
            else:
                response, rows = self._predict(served, asked, body)
        except ProblemError as problem:
            response = _json(problem.status, problem.content)
        except Exception as error:
            logger.exception("prediction failed", extra={"why": f"{type(error).__name__}: {error}"})
            response = _json(500, {"error": "the model failed on these rows; the server's log says why"})
        seconds = time.perf_counter() - start
        self.telemetry.observe(response.status_code, rows, seconds)
        logger.info(
            "request",
            extra={
                "path": request.url.path,
                "status": response.status_code,
                "rows": rows,
                "milliseconds": round(seconds * 1000, 3),
                "version": served.identity.version if served else None,
            },
        )
        return response

    async def _body(self, request: Request) -> bytes:
        """The body, refused as soon as it is too long, whatever its Content-Length says."""
        limit = self.settings.body_limit
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise ProblemError(413, f"the body has {declared} bytes; at most {limit} are taken")
        parts, length = [], 0
        async for part in request.stream():
            length += len(part)
            if length > limit:
                raise ProblemError(413, f"the body has more than {limit} bytes")
            parts.append(part)
        return b"".join(parts)

    def _predict(self, served: "Served", asked: Asked, body: bytes) -> tuple[Response, int]:
        at = datetime.now(UTC)
        try:
            if asked.kind == "text/csv":
                answer = served.answer_text(self._counted(_table(body)))
            else:
                answer = served.answer(self._counted(_rows(body)))
        except RefusedError as refused:
            told = [{"row": each.row, "field": each.field, "message": each.message} for each in refused.faults]
            first = refused.faults[0]
            message = f"row {first.row}, {first.field}: {first.message}"
            raise ProblemError(422, message, faults=told, count=refused.count) from None
        ids = _ids(answer, asked)
        if self.log is not None and ids:
            self.log.put(Entry(at, answer.rows, answer.scores, ids, served.identity, served.bundle.classes))
        return _reply(served, answer, ids, asked), len(ids)

    def _counted(self, rows: Any) -> Any:
        if len(rows) > self.settings.row_limit:
            raise ProblemError(413, f"the request has {len(rows)} rows; at most {self.settings.row_limit} are taken")
        return rows


def _asked(request: Request) -> Asked:
    headers = request.headers
    kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind not in ("application/json", "text/csv"):
        raise ProblemError(415, f"the content type '{kind}' is not taken; send application/json or text/csv")
    named = headers.get(ID_HEADER)
    if named is not None and not 0 < len(named) <= LONGEST_ID:
        raise ProblemError(422, f"{ID_HEADER} must have 1 to {LONGEST_ID} characters")
    wanted = headers.get("accept", "").partition(";")[0].partition(",")[0].strip().lower()
    return Asked(kind, wanted == "text/csv", named)


def _rows(body: bytes) -> list[Any]:
    try:
        return rows_of(from_json(body, allow_inf_nan=False))
    except ValueError as error:
        raise ProblemError(400, f"the body is no JSON: {error}") from None
    except MalformedError as error:
        raise ProblemError(422, str(error)) from None


def _table(body: bytes) -> pl.DataFrame:
    try:
        return pl.read_csv(body, infer_schema=False)
    except Exception as error:
        raise ProblemError(400, f"the body is no CSV with a header: {str(error).splitlines()[0]}") from None


def _ids(answer: "Answer", asked: Asked) -> list[str]:
    """The id of each row: its own, or the header's (numbered where there are several rows), or a new one."""
    several = len(answer.ids) > 1
    header = asked.id
    return [
        own or (new_id() if header is None else f"{header}-{number}" if several else header)
        for number, own in enumerate(answer.ids)
    ]


def _reply(served: "Served", answer: "Answer", ids: list[str], asked: Asked) -> Response:
    if asked.csv_wanted:
        table = as_predictions(answer.scores, served.bundle.classes)
        table = table.with_columns(pl.Series(ID, ids, pl.String), model_version=pl.lit(served.identity.version))
        return Response(table.write_csv(), media_type="text/csv")
    told = served.told(answer.scores)
    for prediction, named in zip(told, ids, strict=True):
        prediction[ID] = named
        prediction["model_version"] = served.identity.version
    return Response(to_json({"predictions": told}, inf_nan_mode="null"), media_type="application/json")


def _json(status: int, content: dict[str, Any]) -> Response:
    return Response(json.dumps(content), status, media_type="application/json")
