"""How much memory the stages take that walk over all data."""

from collections.abc import Iterator

from harness import Bench, Project, Row, measurement

TIMES = 100


@measurement
def memory(bench: Bench) -> Iterator[Row]:
    """Peak memory of a stage's process on many times the sample, beside the sample."""
    small, large = bench.another("small"), bench.another("large")
    bench.source(large.path, bench.sample_times(TIMES))

    def peak(project: Project, stage: str) -> float:
        return bench.run_in(project, "mlops", "stage", stage).peak

    for stage in ("ingest", "validate", "split"):  # each reads what the one before it wrote
        comparison = bench.compare(
            lambda stage=stage: peak(large, stage),
            lambda stage=stage: peak(small, stage),
            repeats=3,
            unit="bytes",
            warm=False,
        )
        yield comparison.row(f"peak memory of `{stage}`, {TIMES} times the sample", "on the sample", at_most=4)
