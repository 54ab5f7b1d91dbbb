# The template's: `copier update` renews this file.
"""What `mlops compile`, `submit` and `status` do and print, on any platform."""

import hashlib
import os
import time
from dataclasses import asdict
from pathlib import Path

from mlops.errors import MlopsError, UsageError
from mlops.files import canonical_hash, write_text
from mlops.platforms import connect
from mlops.platforms.base import Job, Platform, Status, Step
from mlops.platforms.dag import Dag, read_dag
from mlops.platforms.resources import read_resources, schedules, steps
from mlops.project import Project, load_project
from mlops.settings import Settings, load_settings
from mlops.source import FINGERPRINT

COMPILED = Path("build")


def compile_pipeline(on: str, *, grouped: bool, out: Path | None) -> None:
    """Write the platform's own definition of the pipeline, and print where; nothing is asked of the platform.

    Raises:
        UsageError: dvc.yaml or resources.yaml asks for what the platform cannot do, or a setting is missing.
    """
    out = out and out.absolute()  # before the project's folder becomes the working directory
    project, settings = load_project(), load_settings()
    platform = connect(on, project, settings, asking=False)
    folder = out or COMPILED / on
    for name, text in platform.compile(_job(platform, project, grouped=grouped, asking=False)).items():
        write_text(folder / name, text)
        print(folder / name)


def submit(on: str, *, grouped: bool, detach: bool, data: str | None, token: str | None, register: bool) -> None:
    """Create or update the pipeline on a platform, start it, and follow it unless `detach`.

    The token names what is run: the commit, the image, the parameters and the files of the data. As long as these are
    the same and no run of them has failed, submitting again starts nothing and follows the run that there is.

    Raises:
        UsageError: nothing was started.
        MlopsError: the platform refused, or the run failed there.
    """
    project, settings = load_project(), load_settings()
    platform = connect(on, project, settings)
    if register and not platform.can.components:
        raise UsageError(f"--register-components: {on} keeps no components; leave the option out")
    if platform.can.images:
        _require_shared(settings, on)
    job = _job(platform, project, grouped=grouped, asking=True, data=data)
    if register:
        for name in platform.register(job):
            print(f"component {name}")
    token = token or canonical_hash([on, project.name, settings.environment, asdict(job)])
    run = platform.submit(job, token=token)
    unscheduled = platform.schedule(schedules(read_resources(), on), job) if platform.can.schedules else None
    print(f"run {run}")
    if unscheduled:
        print(f"Nothing is started regularly: {unscheduled}; 'mlops doctor --on {on}' tells more.")
    if not detach:
        _follow(platform, run, settings)


def show_status(on: str, run: str) -> None:
    """Print how a run stands.

    Raises:
        MlopsError: it failed.
    """
    status = connect(on, load_project(), load_settings()).status(run)
    _tell(status, {})
    _conclude(status)


def _job(platform: Platform, project: Project, *, grouped: bool, asking: bool, data: str | None = None) -> Job:
    """What the platform has to run. `asking`: of the platform for the image, and of the source for its files."""
    from mlops.params import load_params

    dag = read_dag()
    found = steps(dag, read_resources(), grouped=grouped)
    _require_able(platform, found)
    if not platform.can.images:
        return Job(found, "", {}, data)
    from mlops.images import image_tag

    tag = image_tag("pipeline", project.root)
    source = data or load_params().data.source
    _require_inside(dag, source, project.root)
    if not asking:
        return Job(found, f"{platform.repository('pipeline')}:{tag}", _lineage(), source)
    image = platform.image("pipeline", tag)
    return Job(found, image, _lineage(committed=True), source, _version(source))


def _require_able(platform: Platform, found: tuple[Step, ...]) -> None:
    for step in found:
        wishes = {"gpu": step.needs.gpu > 0, "nodes": step.needs.nodes > 1, "spot": step.needs.spot}
        able = {"gpu": platform.can.gpu, "nodes": platform.can.several_nodes, "spot": platform.can.spot}
        for wish, is_asked in wishes.items():
            if is_asked and not able[wish]:
                raise UsageError(
                    f"resources.yaml: '{step.name}' asks for {wish}, which {platform.name} cannot give; "
                    "take it out, or choose another platform"
                )


def _require_shared(settings: Settings, on: str) -> None:
    from mlops.tracking import database

    if (file := database(settings)) is not None:
        raise UsageError(f"the tracking store is this machine's {file}, out of reach of {on}; set MLOPS_TRACKING_URI")


def _require_inside(dag: Dag, source: str, root: Path) -> None:
    """What stages read has to be another stage's output or in the image."""
    from mlops.context import context

    files = [file.as_posix() for file in context(root)]
    there = {*files, *(folder.as_posix() for file in files for folder in Path(file).parents)}
    made = {(edge.target, edge.path) for edge in dag.edges}
    for stage in dag.stages.values():
        for path in stage.reads:
            from_a_stage = any(target == stage.name and _touch(path, out) for target, out in made)
            if path not in there and not from_a_stage and path != FINGERPRINT.as_posix():
                raise UsageError(
                    f"dvc.yaml: the stage '{stage.name}' reads '{path}', which is not in the image; "
                    f"let it in by a line '!{path}' at the end of .dockerignore"
                )
    if "://" not in source and not any(letter in source for letter in "*?[") and source.rstrip("/") not in there:
        raise UsageError(
            f"data.source '{source}' is neither a URL nor in the image; give a URL, such as --data s3://..."
        )


def _touch(path: str, out: str) -> bool:
    return path == out or path.startswith(f"{out}/") or out.startswith(f"{path}/")


def _lineage(*, committed: bool = False) -> dict[str, str]:
    """What a container without git is told.

    Raises:
        UsageError: there is no commit, or it lacks a change: a model could not be traced to it.
    """
    from mlops.lineage import commit_and_author, template_version, uncommitted_patch, whoami

    commit, author = commit_and_author()
    if committed and (commit == "none" or uncommitted_patch()):
        raise UsageError("there are changes that are not committed, and a platform runs commits; commit them first")
    return {
        "mlops.commit": commit,
        "mlops.author": author,
        "mlops.trainer": whoami(),
        "mlops.dirty": "false",
        "mlops.template_version": template_version(),
    }


def _version(source: str) -> str:
    """A digest of the source's files; where they cannot be seen from here, one of this moment: nothing is cached."""
    from mlops.source import fingerprint

    try:
        return canonical_hash(fingerprint(source))
    except MlopsError as error:
        print(f"The data cannot be looked at from here, so they are read anew: {error}")
        return hashlib.sha256(os.urandom(16)).hexdigest()


def _follow(platform: Platform, run: str, settings: Settings) -> None:
    shown: dict[str, str] = {}
    while True:
        status = platform.status(run)
        _tell(status, shown)
        if status.state != "running":
            break
        time.sleep(settings.poll_seconds)
    _conclude(status)


def _tell(status: Status, shown: dict[str, str]) -> None:
    """Print steps whose state is another than was shown."""
    for name, state in status.steps.items():
        if shown.get(name) != state:
            print(f"{name}: {state}", flush=True)
            shown[name] = state


def _conclude(status: Status) -> None:
    if status.state in ("failed", "stopped"):
        raise MlopsError(f"the run {status.run} {status.state}{f': {status.reason}' if status.reason else ''}")
    print(f"{status.state}")
