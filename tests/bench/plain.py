"""What a person would write instead of the first `mlops run`: python plain.py SAMPLE FOLDER.

One file with the same data, contract, features, model, metrics and plots, without data versions,
tracking, registry or gate. `running.py` compares its metrics with the project's.
"""

import json
import sys
from pathlib import Path

import joblib
import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt
import numpy as np
import pandera.polars as pa
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score, roc_auc_score, roc_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

KEY = ["scheduled_departure", "carrier", "flight"]
CATEGORIES = ["carrier", "origin", "dest"]
WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
SLICES = ["carrier", "origin"]
SLICE_ROWS = 200


def between(low, high):
    return pa.Column(pl.Float32, pa.Check.in_range(low, high), nullable=True)


CONTRACT = pa.DataFrameSchema(
    {
        "scheduled_departure": pa.Column(pl.Datetime("us")),
        "carrier": pa.Column(str, pa.Check.str_length(2, 2)),
        "flight": pa.Column(pl.Int32, pa.Check.gt(0)),
        "origin": pa.Column(str, pa.Check.str_matches("^[A-Z]{3}$")),
        "dest": pa.Column(str, pa.Check.str_matches("^[A-Z]{3}$")),
        "distance": pa.Column(pl.Int32, [pa.Check.gt(0), pa.Check.lt(12_000)]),
        "sched_arr_time": pa.Column(pl.Int32, pa.Check.in_range(0, 2400)),
        "temp": between(-60, 140),
        "dewp": between(-80, 120),
        "humid": between(0, 100),
        "wind_speed": between(0, 200),
        "precip": between(0, 20),
        "pressure": between(850, 1100),
        "visib": between(0, 20),
        "arr_delay": between(-300, 3000),
    }
)


def features(flights):
    departure, arrival = pl.col("scheduled_departure"), pl.col("sched_arr_time")
    return flights.select(
        *CATEGORIES,
        "distance",
        *WEATHER,
        minute_of_day=departure.dt.hour().cast(pl.Int32) * 60 + departure.dt.minute().cast(pl.Int32),
        arrival_minute_of_day=arrival // 100 * 60 + arrival % 100,
        day_of_week=departure.dt.weekday(),
    )


def measure(truth, scores):
    late, riskiest = scores[:, 1], np.argsort(-scores[:, 1], kind="stable")[: max(1, len(truth) // 10)]
    chosen = np.clip(scores[np.arange(len(truth)), truth], 1e-15, 1)
    return {
        "roc_auc": float(roc_auc_score(truth, late)),
        "log_loss": float(-np.log(chosen).mean()),
        "brier": float(np.mean((late - truth) ** 2)),
        "accuracy": float(np.mean(scores.argmax(axis=1) == truth)),
        "f1_macro": float(f1_score(truth, scores.argmax(axis=1), average="macro")),
        "late_found_in_riskiest_tenth": float(truth[riskiest].sum() / max(1, truth.sum())),
    }


def main(sample, folder):
    flights = CONTRACT.validate(pl.read_parquet(sample), lazy=True)
    if flights.select(KEY).is_duplicated().any():
        raise SystemExit("the key is not unique")

    flights = flights.with_columns(late=pl.col("arr_delay") > 15).filter(pl.col("late").is_not_null())
    times = flights["scheduled_departure"].sort()
    later = pl.col("scheduled_departure") >= times[int(len(times) * 0.8)]
    train, test = flights.filter(~later), flights.filter(later)

    model = make_pipeline(
        make_column_transformer(
            (
                OrdinalEncoder(
                    handle_unknown="use_encoded_value",
                    unknown_value=float("nan"),
                    encoded_missing_value=float("nan"),
                ),
                CATEGORIES,
            ),
            remainder="passthrough",
        ),
        HistGradientBoostingClassifier(random_state=42, learning_rate=0.05, max_iter=100),
    )
    model.fit(features(train), train["late"].cast(pl.Int64).to_numpy())

    truth, scores = test["late"].cast(pl.Int64).to_numpy(), model.predict_proba(features(test))
    rate = train["late"].mean()
    slices = {}
    for column in SLICES:
        for value, rows in test[column].value_counts(sort=True).iter_rows():
            mask = (test[column] == value).to_numpy()
            if rows >= SLICE_ROWS and len(np.unique(truth[mask])) == 2:
                slices[f"{column} = {value}"] = measure(truth[mask], scores[mask])
    bins = [(scores[part, 1].mean(), truth[part].mean()) for part in np.array_split(np.argsort(scores[:, 1]), 10)]
    results = {
        "metrics": measure(truth, scores),
        "naive": measure(truth, np.tile([1 - rate, rate], (len(truth), 1))),
        "slices": slices,
        "calibration": bins,
    }

    folder.mkdir(parents=True)
    joblib.dump(model, folder / "model.joblib")
    (folder / "metrics.json").write_text(json.dumps(results, indent=2), encoding="utf-8")
    test.select(*KEY, "late").with_columns(probability=scores[:, 1]).write_parquet(folder / "predictions.parquet")
    draw(folder, truth, scores, results)


def draw(folder, truth, scores, results):
    figure, axes = plt.subplots(figsize=(5, 3.4), layout="constrained")
    axes.plot([0, 1], [0, 1], linestyle="--", label="perfect")
    axes.plot(*zip(*results["calibration"], strict=True), marker="o", label="model")
    axes.set(xlabel="predicted share", ylabel="observed share")
    axes.legend()
    figure.savefig(folder / "calibration.svg")

    figure, axes = plt.subplots(figsize=(5, 3.4), layout="constrained")
    false, true, _ = roc_curve(truth, scores[:, 1])
    axes.plot([0, 1], [0, 1], linestyle="--", label="naive")
    axes.plot(false, true, label="model")
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    axes.legend()
    figure.savefig(folder / "predictions.svg")

    ranked = sorted(results["slices"].items(), key=lambda each: each[1]["roc_auc"])[:20]
    figure, axes = plt.subplots(figsize=(5, max(3.4, len(ranked) * 0.22 + 1)), layout="constrained")
    axes.barh([name for name, _ in ranked], [values["roc_auc"] for _, values in ranked])
    axes.axvline(results["metrics"]["roc_auc"], linestyle="--", label="all rows")
    axes.invert_yaxis()
    axes.legend()
    figure.savefig(folder / "slices.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
