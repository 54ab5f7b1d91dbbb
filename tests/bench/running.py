"""How long the verbs take that a person waits for, beside doing the same without them."""

import json
import shutil
from collections.abc import Iterator

from harness import HERE, SAMPLE, Bench, Row, UnmeasuredError, measurement


@measurement
def first_run(bench: Bench) -> Iterator[Row]:
    """The first `mlops run` of a project, beside one plain script that does the same work."""
    project, results = bench.project, bench.folder / "plain"

    def ours(bytecode: bool) -> float:
        bench.fresh(project.path, bytecode=bytecode)
        return bench.run_in(project, "mlops", "run").seconds

    def theirs(bytecode: bool) -> float:
        bench.fresh(project.path, bytecode=bytecode)
        shutil.rmtree(results, ignore_errors=True)
        return bench.run_in(project, "python", HERE / "plain.py", SAMPLE, results).seconds

    # These first ones warm both sides, and prove that they do the same.
    ours(True)
    learnt = json.loads((project.path / "reports/metrics.json").read_text("utf-8"))
    theirs(True)
    told = json.loads((results / "metrics.json").read_text("utf-8"))["metrics"]
    if told != learnt:
        raise UnmeasuredError(f"plain.py does something else than the project: its metrics are {told}, not {learnt}")
    for state, bytecode, bound, repeats in (("warm", True, 4, 5), ("cold", False, 3, 3)):
        comparison = bench.compare(
            lambda bytecode=bytecode: ours(bytecode),
            lambda bytecode=bytecode: theirs(bytecode),
            repeats=repeats,
            warm=False,
        )
        yield comparison.row(f"first `mlops run`, bytecode {state}", "a plain script", at_most=bound)


@measurement
def nothing_to_do(bench: Bench) -> Iterator[Row]:
    """`mlops run` where all is up to date, beside DVC saying so."""
    project = bench.trained

    def ours() -> float:
        done = bench.run_in(project, "mlops", "run")
        if "Nothing to do" not in done.out:
            raise UnmeasuredError(f"`mlops run` found something to do where nothing had changed:\n{done.out}")
        return done.seconds

    comparison = bench.compare(ours, lambda: bench.run_in(project, "dvc", "status").seconds, repeats=11)
    yield comparison.row("`mlops run` with nothing to do", "`dvc status`", at_most=1.5)


@measurement
def help_text(bench: Bench) -> Iterator[Row]:
    """`mlops --help`, beside a Python that does nothing."""
    project = bench.project
    comparison = bench.compare(
        lambda: bench.run_in(project, "mlops", "--help").seconds,
        lambda: bench.run_in(project, "python", "-c", "pass").seconds,
        repeats=31,
    )
    yield comparison.row("`mlops --help`", "`python -c pass`", at_most=12)
