# The template's: `copier update` renews this file.
"""Where the stages read and write: the names that `dvc.yaml` declares."""

from pathlib import Path

RAW = Path("data/raw.parquet")
VALIDATION = Path("reports/validation.json")
TRAIN = Path("data/train.parquet")
TEST = Path("data/test.parquet")
BUNDLE = Path("models/bundle")
EVALUATION = Path("reports/evaluation")
METRICS = Path("reports/metrics.json")
REPORT = Path("reports/index.html")
SUMMARY = Path("reports/summary.md")
