"""An organisation on GitHub as a fleet, read without a clone, and its workflows started."""

import base64
import binascii
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fleet import git
from fleet.api import Api, LimitError, RefusedError
from fleet.errors import FleetError, ProjectError, UsageError
from fleet.projects import Fleet, Pipeline, Project, Sight, fits, identify
from fleet.renders import ANSWERS
from fleet.template import Template, canonical

WORKFLOW = "template-update.yml"
_PIPELINES = (".github/workflows/train.yml", ".github/workflows/ci.yml")
_THREADS = 8


def look(
    org: str, template: Template, api: Api, only: Sequence[str], progress: Callable[[str, int, int], None]
) -> Fleet:
    """Find the projects of an organisation; archived repositories are passed over and told.

    Raises:
        UsageError: there is no such organisation for this token.
    """
    fleet = Fleet(f"github:{org}")
    try:
        listed = list(api.pages(f"orgs/{quote(org, safe='')}/repos", type="all", sort="full_name"))
    except RefusedError as error:
        if error.status == 404:
            raise UsageError(f"GitHub knows no organisation {org} that this token can see") from None
        raise
    active = []
    for repository in listed:
        if repository.get("archived") or repository.get("disabled"):
            fleet.skipped[repository["name"]] = "archived" if repository.get("archived") else "disabled"
        elif fits(repository["name"], only):
            active.append(repository)
    lost = threading.Event()

    def look_at(repository: dict[str, Any]) -> Sight | str:
        if lost.is_set():
            return _broken(repository, "not looked at")
        try:
            return _look_at(repository, template, api)
        except FleetError as error:
            if isinstance(error, LimitError) or (isinstance(error, RefusedError) and error.status == 401):
                lost.set()
                raise
            return _broken(repository, str(error))

    with ThreadPoolExecutor(_THREADS) as threads:
        found = threads.map(look_at, active)
        for done, (repository, sight) in enumerate(zip(active, found, strict=True), start=1):
            progress("look", done, len(active))
            if isinstance(sight, Sight):
                fleet.sights.append(sight)
            else:
                fleet.others[repository["name"]] = sight
    return fleet


def _broken(repository: dict[str, Any], fault: str) -> Sight:
    project = Project(repository["name"], repository.get("html_url", ""), fault=fault)
    return Sight(project, None, lambda _: b"", repository["full_name"])


def _look_at(repository: dict[str, Any], template: Template, api: Api) -> Sight | str:
    full_name, branch = repository["full_name"], repository.get("default_branch") or "main"
    try:
        answers = api.get(f"repos/{full_name}/contents/{ANSWERS}", ref=branch)
    except RefusedError as error:
        if error.status in {404, 409}:  # 409: a repository without a commit
            return f"no {ANSWERS}"
        raise
    project = Project(repository["name"], repository.get("html_url", ""))
    other = identify(project, _decoded(answers), template)
    if other:
        return other
    listing = api.get(f"repos/{full_name}/git/trees/{quote(branch, safe='')}", recursive="1")
    tree = None
    if listing.get("truncated"):
        project.notes.append("divergence unknown: too many files for GitHub to list")
    else:
        tree = {entry["path"]: (entry["mode"], entry["sha"]) for entry in listing["tree"] if entry["type"] != "tree"}
    commits = api.get(f"repos/{full_name}/commits", path=ANSWERS, sha=branch, per_page=1)
    if commits:
        project.updated = commits[0]["commit"]["committer"]["date"]
    project.pipeline = _last_run(full_name, branch, api, project)

    def read(blob: str) -> bytes:
        try:
            return _decoded(api.get(f"repos/{full_name}/git/blobs/{blob}"))
        except FleetError as error:
            raise ProjectError(str(error)) from None

    return Sight(project, tree, read, full_name)


def _decoded(content: Any) -> bytes:
    if not isinstance(content, dict) or content.get("encoding") != "base64":
        return b""
    try:
        return base64.b64decode(content["content"])
    except (binascii.Error, ValueError):
        return b""


def _last_run(full_name: str, branch: str, api: Api, project: Project) -> Pipeline | None:
    try:
        runs = api.get(f"repos/{full_name}/actions/runs", branch=branch, per_page=50)["workflow_runs"]
    except RefusedError as error:
        project.notes.append(f"no runs to see ({error.status})")
        return None
    for run in runs:
        if run.get("path", "").partition("@")[0] in _PIPELINES:
            outcome = run.get("conclusion") or run.get("status") or "unknown"
            name = run["path"].partition("@")[0].rpartition("/")[2]
            return Pipeline(run.get("run_started_at") or run["created_at"], f"{name}: {outcome}", run.get("html_url"))
    return None


def repository_of(sight: Sight) -> str:
    """`owner/name` on GitHub of a project, which a clone's origin says.

    Raises:
        ProjectError: the clone has none.
    """
    if isinstance(sight.place, str):
        return sight.place
    folder, path = sight.place
    if path:
        raise ProjectError("it lies in a folder of a repository, whose workflows are not its own")
    try:
        origin = canonical(git.text(folder, "config", "--get", "remote.origin.url"))
    except ProjectError:
        raise ProjectError("its clone has no origin") from None
    parts = origin.split("/")
    if len(parts) != 3 or not parts[0]:
        raise ProjectError("its origin is not on GitHub")
    return "/".join(parts[1:])


@dataclass(frozen=True)
class Run:
    """A run of a workflow."""

    repository: str
    number: int
    url: str


def start(api: Api, repository: str, version: str, *, interval: float, patience: float) -> Run:
    """Start the update workflow on the default branch, and find the run that this made.

    Raises:
        FleetError: GitHub refuses, or no run comes up in time.
    """
    try:
        branch = api.get(f"repos/{repository}").get("default_branch") or "main"
        before = {run["id"] for run in _runs(api, repository)}
        answer = api.post(
            f"repos/{repository}/actions/workflows/{WORKFLOW}/dispatches",
            {"ref": branch, "inputs": {"version": version}},
        )
    except RefusedError as error:
        hints = {
            403: f"the token may not start workflows there: it needs `actions: write` ({error})",
            404: f"it has no {WORKFLOW}, or the token may not see it",
            422: f"{WORKFLOW} cannot be started: is it disabled, or older than its `version` input? ({error})",
        }
        raise FleetError(hints.get(error.status, str(error))) from None
    if isinstance(answer, dict) and answer.get("workflow_run_id"):
        return Run(repository, answer["workflow_run_id"], answer.get("html_url", ""))
    deadline = time.monotonic() + patience
    while True:
        new = [run for run in _runs(api, repository) if run["id"] not in before]
        if new:
            run = min(new, key=lambda run: run["id"])
            return Run(repository, run["id"], run.get("html_url", ""))
        if time.monotonic() > deadline:
            raise FleetError(f"{WORKFLOW} was started, but no run came up")
        time.sleep(interval)


def _runs(api: Api, repository: str) -> list[dict[str, Any]]:
    path = f"repos/{repository}/actions/workflows/{WORKFLOW}/runs"
    runs: list[dict[str, Any]] = api.get(path, event="workflow_dispatch", per_page=30)["workflow_runs"]
    return runs


def wait(api: Api, run: Run, *, interval: float, deadline: float) -> str:
    """The conclusion of a run: `success`, or why not."""
    while True:
        state = api.get(f"repos/{run.repository}/actions/runs/{run.number}")
        if state.get("status") == "completed":
            return state.get("conclusion") or "unknown"
        if time.monotonic() > deadline:
            return "timed out here; the run goes on"
        time.sleep(interval)
