"""The command `mlops`: every verb in one place, each importing what it needs when it runs."""

import sys
from typing import Annotated

import typer

from mlops.errors import MlopsError

app = typer.Typer(
    name="mlops",
    help="Start, run and keep this ML project.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def init() -> None:
    """Set up a new copy: git repository, lock file, hooks, first commit. Skips what is done."""
    from mlops.setup import initialise

    initialise()


@app.command()
def run(
    targets: Annotated[
        list[str] | None, typer.Argument(help="Stages to bring up to date, with what they need; default all.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run stages even if nothing changed.")] = False,
) -> None:
    """Run the pipeline of dvc.yaml: what changed since the last run, and the gate."""
    from mlops.run import run_pipeline

    run_pipeline(targets, force=force)


@app.command()
def stage(
    name: Annotated[str, typer.Argument(help="ingest, validate, split, train, evaluate or register.")],
) -> None:
    """Run one stage as dvc.yaml does, whether or not anything changed."""
    from mlops.pipeline import run_stage

    run_stage(name)


@app.command()
def doctor() -> None:
    """Look for what is wrong with this project and say how to mend it. Exit code 3: something is."""
    from mlops.doctor import diagnose

    raise typer.Exit(3 if diagnose() else 0)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on this machine.", min=1, max=65535)] = 5000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Open MLflow's pages on this project's runs and models."""
    from mlops.ui import serve_ui

    serve_ui(host, port)


def main() -> None:
    """Run a verb; a user's mistake is one line on standard error and an exit code, never a traceback."""
    try:
        app()
    except MlopsError as error:
        print(f"mlops: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("mlops: interrupted; run the same command again to go on", file=sys.stderr)
        sys.exit(130)
