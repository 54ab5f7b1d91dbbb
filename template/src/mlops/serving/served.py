# The template's: `copier update` renews this file.
"""A model ready to answer: bundle, compiled contract and name, made once and never changed."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlops.registry.bundle import load_bundle
from mlops.serving.compiled import CompiledContract, FieldFault, RefusedError, refusal_of
from mlops.serving.identity import identity_of
from mlops.serving.records import ID, Identity, record_schema
from mlops.serving.rows import ColumnError, RowContract

if TYPE_CHECKING:
    from mlops.registry.bundle import Bundle
    from mlops.registry.models import ModelRef
    from mlops.settings import Settings


@dataclass(frozen=True)
class Answer:
    """The rows of a request and what the model says of them."""

    rows: pl.DataFrame
    scores: np.ndarray[Any, Any]
    ids: list[str | None]
    """The ids that rows brought along."""


@dataclass(frozen=True)
class Served:
    """A model that serves."""

    bundle: "Bundle"
    compiled: CompiledContract
    identity: Identity

    @cached_property
    def contract(self) -> RowContract:
        """The contract as pandera has it, which rows in text need."""
        return RowContract.of(self.bundle)

    @classmethod
    def load(cls, reference: "ModelRef", settings: "Settings") -> "Served":
        """Load a bundle and compile its contract, and predict once, for the first request not to wait.

        Raises:
            MlopsError: it cannot be loaded here.
        """
        bundle = load_bundle(reference.path)
        compiled = CompiledContract.of(bundle)
        record_schema(compiled.dtypes, bundle.classes)
        served = cls(bundle, compiled, identity_of(bundle, reference, settings))
        nothing = pl.DataFrame({name: [None] for name in compiled.dtypes}, schema=compiled.dtypes)
        with suppress(Exception):  # features may well ask for values; the first request pays then
            bundle.scores(nothing)
        return served

    def answer(self, rows: list[Any]) -> Answer:
        """Predict rows as they came in JSON.

        Raises:
            RefusedError: a row breaks the contract.
        """
        table, ids = self.compiled.check(rows)
        return Answer(table, self._scores(table), ids)

    def answer_text(self, table: pl.DataFrame) -> Answer:
        """Predict rows that came as text, as in CSV.

        Raises:
            RefusedError: a row breaks the contract, or a column is missing.
        """
        try:
            typing = self.contract.bind(table.schema)
        except ColumnError as error:
            raise RefusedError([FieldFault(0, error.column, str(error))], 1) from error
        typed, faults = typing.apply(table)
        if faults:
            raise refusal_of(faults)
        ids = table[ID].to_list() if ID in table.columns else [None] * len(table)
        return Answer(typed, self._scores(typed), ids)

    def _scores(self, rows: pl.DataFrame) -> np.ndarray[Any, Any]:
        classes = self.bundle.classes
        if rows.is_empty():
            return np.zeros((0, len(classes)) if classes else 0)
        return self.bundle.scores(rows)

    def told(self, scores: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
        """Predictions as a reply has them, a row each."""
        classes = self.bundle.classes
        if classes is None:
            return [{"prediction": value} for value in scores.tolist()]
        names = [str(label) for label in classes]
        return [
            {"prediction": classes[best], "probabilities": dict(zip(names, row, strict=True))}
            for best, row in zip(scores.argmax(axis=1).tolist(), scores.tolist(), strict=True)
        ]
