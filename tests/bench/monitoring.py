"""How much memory `mlops monitor` takes as rows come in by the million."""

from collections.abc import Iterator
from pathlib import Path

from harness import Bench, Row, measurement

MILLION, TEN_MILLION = 36, 357
"""So many times the sample is a little more than 1 million and than 10 million rows."""


@measurement
def monitor_memory(bench: Bench) -> Iterator[Row]:
    """Peak memory on 10 million labelled predictions, beside 1 million."""
    trained = bench.another("monitored")
    bench.run_in(trained, "mlops", "run")
    few, many = (scored(bench, times) for times in (MILLION, TEN_MILLION))

    def peak(rows: Path) -> float:
        # It may well say "act": the sample over and over again is not what came after training.
        return bench.run(trained.script("mlops"), "monitor", rows, cwd=trained.path, codes=(0, 3)).peak

    comparison = bench.compare(lambda: peak(many), lambda: peak(few), repeats=1, unit="bytes", warm=False)
    yield comparison.row("peak memory of `mlops monitor`, 10 million rows", "on 1 million rows", at_most=1.5)


def scored(bench: Bench, times: int) -> Path:
    """The sample so many times over with predictions, as `mlops score` writes them, and labels."""
    path = bench.folder / f"scored-{times}.parquet"
    script = (
        "import sys, polars as pl\n"
        "source, target = sys.argv[1:]\n"
        "late = pl.col('temp').hash(seed=1).mod(1000).truediv(2000).fill_null(0.25)\n"
        "frame = pl.scan_parquet(source).with_columns(\n"
        "    model_version=pl.lit('1'), prediction=late > 0.5, probability_False=1 - late, probability_True=late)\n"
        "frame.sink_parquet(target, compression='zstd', row_group_size=100_000)\n"
    )
    bench.run(bench.project.script("python"), "-c", script, bench.sample_times(times), path, cwd=bench.folder)
    return path
