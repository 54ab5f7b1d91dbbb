# The template's: `copier update` renews this file.
"""The command `mlops`: every verb in one place, each importing what it needs when it runs."""

import logging
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from mlops.errors import MlopsError
from mlops.interpreter import roomy, spare_collections

INTERRUPTED = 130
"""The exit code of Ctrl-C, which Typer may have made of it already."""

app = typer.Typer(
    name="mlops",
    help="Start, run and keep this ML project.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def init() -> None:
    """Set up a new copy. Git repository, lock file, hooks, first commit; skips what is done."""
    from mlops.setup import initialise

    initialise()


@app.command()
def run(
    targets: Annotated[
        list[str] | None, typer.Argument(help="Stages to bring up to date, with what they need; default all.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run stages even if nothing changed.")] = False,
) -> None:
    """Bring the pipeline of dvc.yaml up to date. Runs what changed since the last run, then the gate."""
    from mlops.run import run_pipeline

    run_pipeline(targets, force=force)


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="ingest, validate, split, train, evaluate or register.")],
) -> None:
    """Run one stage, as dvc.yaml does. It runs whether or not anything changed."""
    from mlops.pipeline import run_stage

    run_stage(name)


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="A number, or an alias such as challenger.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")],
    approver: Annotated[str | None, typer.Option(help="Who answers for it; default: you, as git knows you.")] = None,
) -> None:
    """Make a version the champion."""
    from mlops.registry import verbs

    verbs.promote(version, approver, reason)


@app.command()
def rollback(
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")] = "rolled back",
    approver: Annotated[str | None, typer.Option(help="Who answers for it; default: you, as git knows you.")] = None,
    on: Annotated[str | None, typer.Option(help="A platform whose endpoint is to follow, such as aws.")] = None,
) -> None:
    """Go back to the champion before. Once more, to the one before that."""
    if on is not None:
        from mlops.platforms import deploying

        deploying.roll_back(on, approver, reason)
        return
    from mlops.registry import verbs

    verbs.rollback(approver, reason)


@app.command()
def deploy(
    on: Annotated[str, typer.Option(help="The platform, such as aws.")],
    model: Annotated[
        str | None, typer.Option(help="A number, or an alias such as challenger; default: the champion.")
    ] = None,
    look: Annotated[
        bool, typer.Option("--look", help="Only say, as JSON, which version that is and what environments serve.")
    ] = False,
) -> None:
    """Serve a version on a platform. By canary, and back where alarms or a row say that it is bad."""
    from mlops.platforms import deploying

    (deploying.look if look else deploying.deploy)(on, model)


@app.command()
def image(
    target: Annotated[str, typer.Argument(help="pipeline or serving.")],
    on: Annotated[str | None, typer.Option(help="A platform, to see whether it has the image.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which image these files make. Its tag names its content; exit code 3: the platform does not have it."""
    from mlops.images import show_image

    raise typer.Exit(0 if show_image(target, on, as_json=as_json) else 3)


On = Annotated[str, typer.Option(help="The platform: local, or a cloud of this project.")]
Ungrouped = Annotated[bool, typer.Option("--ungrouped", help="A container a stage, without regard to groups.")]


@app.command("compile")
def compile_(
    on: On,
    ungrouped: Ungrouped = False,
    out: Annotated[Path | None, typer.Option(help="The folder to write to; default: build/PLATFORM.")] = None,
) -> None:
    """Write a platform's own definition of the pipeline. From dvc.yaml and resources.yaml; asks nothing of it."""
    from mlops.platforms import verbs

    verbs.compile_pipeline(on, grouped=not ungrouped, out=out)


@app.command()
def submit(
    on: On,
    ungrouped: Ungrouped = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start it and do not wait for its end.")] = False,
    data: Annotated[str | None, typer.Option(help="A URL in place of data.source in params.yaml.")] = None,
    token: Annotated[
        str | None,
        typer.Option(help="What names this start; default: code, parameters and data. Another word starts it again."),
    ] = None,
    register: Annotated[
        bool, typer.Option("--register-components", help="Keep the steps there for other pipelines as well.")
    ] = False,
) -> None:
    """Run the pipeline on a platform. Made or updated there, started once for the same code and data, and followed."""
    from mlops.platforms import verbs

    verbs.submit(on, grouped=not ungrouped, detach=detach, data=data, token=token, register=register)


@app.command()
def status(run: Annotated[str, typer.Argument(help="As `mlops submit` prints it.")], on: On) -> None:
    """Say how a run on a platform stands. Exit code 1: it failed."""
    from mlops.platforms import verbs

    verbs.show_status(on, run)


@app.command("exec")
def exec_(
    stages: Annotated[list[str], typer.Argument(help="Stages of dvc.yaml, in an order in which they can run.")],
    inputs: Annotated[
        list[str] | None, typer.Option("--input", metavar="DEP=PATH", help="The folder of an artifact that came.")
    ] = None,
    outputs: Annotated[
        list[str] | None, typer.Option("--output", metavar="OUT=PATH", help="The folder for an artifact that goes.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="In place of data.source in params.yaml.")] = None,
    hosts: Annotated[Path | None, typer.Option(help="A JSON file that says which of several machines this is.")] = None,
    failure: Annotated[Path | None, typer.Option(help="A file for the reason if it fails.")] = None,
) -> None:
    """Run stages in a platform's container. Overwrites what dvc.yaml names and dvc.lock: not for your own copy."""
    from mlops.platforms.container import run as run_stages

    run_stages(stages, inputs or [], outputs or [], data=data, hosts=hosts, failure=failure)


@app.command()
def pull(
    run: Annotated[str, typer.Argument(help="A run of a platform or of MLflow, a version, or an alias.")],
    force: Annotated[bool, typer.Option("--force", help="Even over uncommitted changes of dvc.lock.")] = False,
) -> None:
    """Bring home what a run made elsewhere. Its dvc.lock, its data by DVC, its bundle and evaluation."""
    from mlops.pull import pull_run

    pull_run(run, force=force)


if find_spec("mlops.replicate"):  # where there are several clouds

    @app.command()
    def replicate(
        on: Annotated[str, typer.Option(help="The cloud that is to be able to take over, such as gcp.")],
        every: Annotated[
            bool, typer.Option("--all", help="All versions that ever passed the gate, not the champion alone.")
        ] = False,
    ) -> None:
        """Bring the champion to a second cloud. Its data, run, bundle and version; what is there is left alone."""
        from mlops.replicate import replicate as bring

        bring(on, every=every)


audit = typer.Typer(help="The log of who registered, promoted and rolled back what.", no_args_is_help=True)
app.add_typer(audit, name="audit")


@audit.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; default: standard output.")] = None,
) -> None:
    """Write the log as JSON Lines, oldest entry first."""
    from mlops.registry import verbs

    verbs.export_log(file)


@audit.command()
def verify(
    file: Annotated[Path | None, typer.Argument(help="An exported log; default: the one in the registry.")] = None,
) -> None:
    """Check that no entry was changed, removed or put in between. Exit code 1: one was."""
    from mlops.registry import verbs

    verbs.verify_log(file)


@app.command()
def card(
    version: Annotated[str | None, typer.Argument(help="A number or an alias; default: the champion.")] = None,
) -> None:
    """Write the model card of a version. It goes under reports/cards and into the version's run."""
    from mlops.registry import verbs

    verbs.make_card(version)


@app.command()
def lineage(
    version: Annotated[str | None, typer.Argument(help="A number or an alias; default: the champion.")] = None,
    predictions: Annotated[
        str | None, typer.Option(help="A file, folder, pattern or URL of predictions: which versions made them.")
    ] = None,
    prediction_id: Annotated[str | None, typer.Option("--id", help="One prediction of that file.")] = None,
    data: Annotated[str | None, typer.Option(help="A data file or its hash: which versions learnt from it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show where a version comes from. Its run, code, data, parameters and people."""
    from mlops.registry.trace import show_lineage

    show_lineage(version, predictions=predictions, prediction_id=prediction_id, data=data, as_json=as_json)


@app.command()
def score(
    source: Annotated[str, typer.Argument(metavar="IN", help="Rows to score: a path, folder, pattern or fsspec URL.")],
    out: Annotated[str, typer.Argument(metavar="OUT", help="A .parquet or .csv file, local or at an fsspec URL.")],
    model: Annotated[
        str | None, typer.Option(help="NAME@ALIAS, NAME/VERSION, VERSION or a bundle's folder; default the champion.")
    ] = None,
    quarantine: Annotated[
        str | None, typer.Option(metavar="PATH", help="Put rows that break the contract there, and score the rest.")
    ] = None,
) -> None:
    """Score a table with the champion. Parquet or CSV, of any size."""
    from mlops.serving.batch import score as score_table

    score_table(source, out, model=model, quarantine=quarantine)


@app.command()
def serve(
    model: Annotated[
        str | None,
        typer.Option(
            help="A bundle's folder or URL, NAME@ALIAS or a version. Default: MLOPS_MODEL, what a platform brought "
            "(/opt/ml/model, AZUREML_MODEL_DIR, AIP_STORAGE_URI, /mnt/models), or the champion, followed as it changes."
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; default MLOPS_HOST, or 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; default AIP_HTTP_PORT, or 8080.", min=1, max=65535)] = None,
) -> None:
    """Serve a model over HTTP. /ping, /invocations, /metrics, and /docs that describes them."""
    from mlops.serving.server import serve_model

    serve_model(model, host, port)


@app.command()
def reproduce(
    version: Annotated[str | None, typer.Argument(help="A number or an alias; default: the champion.")] = None,
    here: Annotated[
        bool, typer.Option("--here", help="Use the present environment, not the one of that day's uv.lock.")
    ] = False,
    tolerance: Annotated[float, typer.Option(help="How far metrics and predictions may differ.", min=0)] = 1e-6,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the worktree in .mlops/reproduce.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a version again and compare. From its commit, lock and data; exit code 1: it is not the same."""
    from mlops.reproduce import reproduce_version

    reproduce_version(version, here=here, tolerance=tolerance, keep=keep, as_json=as_json)


@app.command()
def monitor(
    current: Annotated[
        str | None,
        typer.Argument(help="Rows to watch: a file, folder, pattern or URL; default: the log of predictions."),
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="What came of them, by prediction_id or by key: a file, folder, pattern or URL.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="NAME@ALIAS, a version or a bundle's folder; default: the champion.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Only rows from this date or time on.")] = None,
    until: Annotated[str | None, typer.Option(help="Only rows before this date or time.")] = None,
    on: Annotated[
        str | None, typer.Option(help="A platform whose alarms are to know what was found, such as aws.")
    ] = None,
) -> None:
    """Look for drift and lost performance. Exit code 3: act."""
    from mlops.monitoring.monitor import monitor as watch

    raise typer.Exit(3 if watch(current, labels, model, since, until, on) else 0)


@app.command()
def retrain(
    current: Annotated[
        str | None, typer.Argument(help="Rows to watch, as for `mlops monitor`; default: the log of predictions.")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="What came of them, as for `mlops monitor`.")] = None,
    since: Annotated[str | None, typer.Option(help="Watch only rows from this date or time on.")] = None,
    until: Annotated[str | None, typer.Option(help="Watch only rows before this date or time.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Train even if there is no reason to.")] = False,
) -> None:
    """Train a challenger if there is a reason to; the gate decides.

    Reasons are drift, lost performance, age and new data. Exit code 3: act.
    """
    from mlops.retrain import retrain as train_anew

    raise typer.Exit(3 if train_anew(current, labels, since, until, force=force) else 0)


@app.command()
def doctor(
    template: Annotated[
        bool, typer.Option("--template", help="Also compare with the template, and try an update on a copy.")
    ] = False,
    on: Annotated[
        str | None, typer.Option(help="A platform: look at its variables, its credentials and what they reach instead.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is wrong and how to mend it. Exit code 3: something is."""
    if on is not None:
        from mlops.platforms.doctor import diagnose_platform

        raise typer.Exit(3 if diagnose_platform(on, as_json=as_json) else 0)
    from mlops.doctor import diagnose

    raise typer.Exit(3 if diagnose(template=template, as_json=as_json) else 0)


template_verbs = typer.Typer(help="This project and the template that it was made from.", no_args_is_help=True)
app.add_typer(template_verbs, name="template")


@template_verbs.command()
def diff(
    files: Annotated[list[str] | None, typer.Argument(help="Files of the template; default: all that differ.")] = None,
) -> None:
    """Show how files of the template differ here from what the template made; a patch for `git apply --reverse`."""
    from mlops.template.verbs import show_diff

    show_diff(files or [])


@template_verbs.command()
def update(
    to: Annotated[str | None, typer.Option(help="A version of the template; default: its newest release.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the text of a pull request.")] = False,
) -> None:
    """Update the project from its template, lock file included. Exit code 3: conflicts are left to settle."""
    from mlops.template.verbs import update_project

    raise typer.Exit(3 if update_project(to, as_json=as_json) else 0)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.", min=1, max=65535)] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Open MLflow's pages on runs and models."""
    from mlops.ui import serve_ui

    serve_ui(host, port)


@roomy
def main() -> None:
    """Run a verb; a user's mistake is one line on standard error and an exit code, never a traceback."""
    spare_collections()
    logging.lastResort = logging.NullHandler()  # type: ignore[assignment, unused-ignore]  # libraries log and raise it
    try:
        app()
    except MlopsError as error:
        print(f"mlops: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, SystemExit) as ended:
        if isinstance(ended, SystemExit) and ended.code != INTERRUPTED:
            raise
        print("mlops: interrupted; run the same command again to go on", file=sys.stderr)
        sys.exit(INTERRUPTED)
