# The template's: `copier update` renews this file.
"""`mlops lineage`: from a version to everything it came from, and back from data and predictions to versions."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops import tracking
from mlops.errors import MlopsError, UsageError
from mlops.files import file_hash, read_json
from mlops.lineage import PATCH
from mlops.project import load_project
from mlops.registry.audit import Entry
from mlops.registry.card import moment, status_of
from mlops.registry.promotion import Promotions
from mlops.settings import Settings, load_settings
from mlops.source import FINGERPRINT, open_source, scan_source

if TYPE_CHECKING:
    import polars as pl
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion
    from rich.tree import Tree

LEAST_HASH = 6
"""Characters of a hash that name data well enough."""


def show_lineage(
    spec: str | None, *, predictions: str | None, prediction_id: str | None, data: str | None, as_json: bool
) -> None:
    """Print where a version comes from, or which versions a file of predictions or data belong to.

    Raises:
        UsageError: more than one question, or nothing is found by it.
        MlopsError: the store or the file does not answer.
    """
    if sum(each is not None for each in (spec, predictions, data)) > 1:
        raise UsageError("ask for one: a VERSION, --predictions or --data")
    if prediction_id is not None and predictions is None:
        raise UsageError("--id names a prediction in a file; say which with --predictions")
    predictions, data = _from_here(predictions), _from_here(data)
    project, settings = load_project(), load_settings()
    found: dict[str, Any]
    with tracking.answering(settings):
        promotions = Promotions(tracking.open_client(settings), project, settings)
        if predictions is not None:
            found = {"predictions": _of_predictions(promotions, predictions, prediction_id)}
        elif data is not None:
            found = {"data": data, "versions": _of_data(promotions, data)}
        else:
            found = trace(promotions, promotions.resolve(spec))
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False, default=str))
        return
    from mlops.console import open_console

    open_console().print(_tree(found), soft_wrap=False)


def _from_here(place: str | None) -> str | None:
    """A path as it is meant where the command was given, before the project's folder becomes the present one."""
    return str(Path(place).absolute()) if place and Path(place).exists() else place


def trace(promotions: Promotions, version: "ModelVersion", *, with_predictions: bool = True) -> dict[str, Any]:
    """Everything that is known of where a version comes from, as JSON has it."""
    client, number, run_id = promotions.client, str(version.version), str(version.run_id)
    run = client.get_run(run_id)
    tags, entries = {**run.data.tags, **version.tags}, promotions.history()
    bundle = read_json(tracking.download(client, run_id, "model/bundle.json"))
    evaluation = read_json(tracking.download(client, run_id, "evaluation/evaluation.json"))
    found = {
        "model": promotions.name,
        "version": number,
        "status": status_of(number, entries),
        "registered": moment(version.creation_timestamp),
        "run": {"id": run_id, "name": run.info.run_name, "trainer": tags.get("mlops.trainer")},
        "code": {
            "commit": tags.get("mlops.commit"),
            "author": tags.get("mlops.author"),
            "uncommitted_changes": f"source/{PATCH}" if tags.get("mlops.dirty") == "true" else None,
        },
        "data": {
            "md5": tags.get("mlops.data_md5"),
            "source": run.data.params.get("data.source"),
            "training_rows": bundle["training_rows"],
            "training_span": bundle["training_span"],
            "training_sha256": bundle["training_sha256"],
            "test_rows": evaluation["rows"],
            "test_sha256": evaluation["test_sha256"],
        },
        "params": {"sha256": tags.get("mlops.params_sha256"), "values": run.data.params},
        "template": tags.get("mlops.template_version"),
        "environment": {
            "python": bundle["python"],
            "image": tags.get("mlops.image"),
            "libraries": bundle["requirements"],
        },
        "gate": {"result": tags.get("mlops.gate"), "reason": run.data.tags.get("mlops.gate.reason")},
        "metrics": evaluation["metrics"],
        "moves": [_move(entry) for entry in entries if number in (entry.from_version, entry.to_version)],
    }
    if with_predictions:
        found["predictions"] = _logged(promotions.name, number, promotions.settings)
    return found


def _move(entry: Entry) -> dict[str, Any]:
    wanted = ("sequence", "time", "action", "from", "to", "actor", "approver", "reason", "commit")
    content = entry.content()
    return {name: content[name] for name in wanted}


def _logged(name: str, version: str, settings: Settings) -> dict[str, Any]:
    """How much of the prediction log is of a version; only where the log is on this machine."""
    import polars as pl

    place = str(getattr(settings, "log_uri", "logs/predictions"))
    found: dict[str, Any] = {"log": place}
    if "://" in place or not (parts := [str(file) for file in sorted(Path(place).rglob("*.parquet"))]):
        return found
    try:
        counts = _counts(pl.scan_parquet(parts, glob=False, missing_columns="insert", extra_columns="ignore"), None)
    except pl.exceptions.PolarsError as error:
        return found | {"unreadable": str(error).splitlines()[0]}
    return found | next((each for each in counts if (each["model"], each["version"]) == (name, version)), {"rows": 0})


def _of_predictions(promotions: Promotions, place: str, prediction_id: str | None) -> dict[str, Any]:
    """The versions behind a file of predictions, or behind one prediction in it."""
    import polars as pl

    try:
        source = open_source(place)
        with scan_source(source) as frame:
            columns = set(frame.collect_schema())
            if lacking := sorted({"prediction_id", "predicted_at", "model_name", "model_version"} - columns):
                raise UsageError(f"{place} has no column '{lacking[0]}': 'mlops score' and 'mlops serve' write it")
            counts = _counts(frame, prediction_id)
    except pl.exceptions.PolarsError as error:
        raise MlopsError(f"{place} cannot be read: {str(error).splitlines()[0]}") from error
    except UsageError as error:
        raise UsageError(str(error).replace("data.source", "--predictions").partition("; set")[0]) from error
    if not counts:
        what = f"no prediction '{prediction_id}'" if prediction_id else "no rows"
        raise UsageError(f"{place} has {what}")
    for each in counts:
        each["lineage"] = None
        if each["model"] != promotions.name or each["version"] is None:
            continue
        version = tracking.find_version(promotions.client, promotions.name, each["version"])
        if version is not None and version.run_id:
            each["lineage"] = trace(promotions, version, with_predictions=False)
    return {"file": place, "prediction_id": prediction_id, "versions": counts}


def _counts(frame: "pl.LazyFrame", prediction_id: str | None) -> list[dict[str, Any]]:
    """Rows by model and version, the most first, with the first and the last moment."""
    import polars as pl

    if prediction_id is not None:
        frame = frame.filter(pl.col("prediction_id") == prediction_id)
    return (
        frame.group_by(model="model_name", version=pl.col("model_version").cast(pl.String))
        .agg(
            rows=pl.len(),
            first=pl.col("predicted_at").min().cast(pl.String),
            last=pl.col("predicted_at").max().cast(pl.String),
        )
        .sort("rows", "version", descending=[True, False])
        .collect(engine="streaming")
        .to_dicts()
    )


def _of_data(promotions: Promotions, wanted: str) -> list[dict[str, Any]]:
    """The versions that learnt from data or were tested on them, by a hash, the start of one, or the file itself."""
    file = Path(wanted)
    if file.is_file():
        hashes = [file_hash(file, "md5"), file_hash(file)]
    elif len(wanted) >= LEAST_HASH and all(letter in "0123456789abcdef" for letter in wanted.lower()):
        hashes = [wanted.lower()]
    else:
        raise UsageError(f"--data '{wanted}' is no file and no hash of {LEAST_HASH} or more hexadecimal digits")
    found = []
    for version in _versions(promotions):
        traced = trace(promotions, version, with_predictions=False)
        known = {"ingested": "md5", "training set": "training_sha256", "test set": "test_sha256"}
        files = [("source", each.get("sha256")) for each in _source_files(promotions.client, str(version.run_id))]
        kept = [*files, *((role, traced["data"][key]) for role, key in known.items())]
        roles = list(dict.fromkeys(role for role, digest in kept if digest and str(digest).startswith(tuple(hashes))))
        if roles:
            found.append({"as": roles, "lineage": traced})
    if not found:
        raise UsageError(f"no version of {promotions.name} was made of the data {wanted}")
    return found


def _source_files(client: "MlflowClient", run_id: str) -> list[dict[str, Any]]:
    """The files that a run's data were ingested from; remote ones have an ETag and no hash of ours."""
    from mlflow.exceptions import MlflowException

    try:
        kept = tracking.download(client, run_id, f"source/{FINGERPRINT.name}")
    except (MlflowException, OSError):  # a command of one's own may do without such a list
        return []
    return read_json(kept)["files"]  # type: ignore[no-any-return]


def _versions(promotions: Promotions) -> Iterable["ModelVersion"]:
    """All versions with a run, newest first."""
    found = [version for version in tracking.versions(promotions.client, promotions.name) if version.run_id]
    return sorted(found, key=lambda version: -int(version.version))


def _tree(found: dict[str, Any]) -> "Tree":
    from rich.markup import escape
    from rich.tree import Tree

    if "version" in found:
        return _version_tree(found)
    if "data" in found and "versions" in found:
        tree = Tree(f"data [bold]{escape(found['data'])}[/bold]")
        for each in found["versions"]:
            tree.add(f"as {', '.join(each['as'])}").add(_version_tree(each["lineage"]))
        return tree
    about = found["predictions"]
    tree = Tree(f"[bold]{escape(about['file'])}[/bold]")
    if about["prediction_id"]:
        tree = Tree(f"prediction [bold]{escape(about['prediction_id'])}[/bold] in {escape(about['file'])}")
    for each in about["versions"]:
        what = f"{each['rows']:,} row{'s' if each['rows'] != 1 else ''}, {each['first']} to {each['last']}"
        branch = tree.add(escape(what))
        if each["lineage"]:
            branch.add(_version_tree(each["lineage"]))
        else:
            branch.add(f"{escape(str(each['model']))} version {escape(str(each['version']))}: not in this registry")
    return tree


def _version_tree(found: dict[str, Any]) -> "Tree":
    from rich.markup import escape
    from rich.tree import Tree

    def line(name: str, *parts: Any) -> str:
        return f"[dim]{name:<13}[/dim]" + escape(" · ".join(str(part) for part in parts if part))

    code, data, environment, gate = found["code"], found["data"], found["environment"], found["gate"]
    tree = Tree(f"[bold]{escape(found['model'])} version {found['version']}[/bold]  {escape(found['status'])}")
    tree.add(line("run", found["run"]["id"], f"by {found['run']['trainer']}", f"registered {found['registered']}"))
    commit = tree.add(line("commit", code["commit"], code["author"] and f"by {code['author']}"))
    if code["uncommitted_changes"]:
        commit.add(f"with uncommitted changes: {code['uncommitted_changes']} of the run")
    origin = tree.add(line("data", f"md5 {data['md5']}", data["source"]))
    span = " to ".join(data["training_span"] or [])
    origin.add(line("training set", f"{data['training_rows']:,} rows", span, f"sha256 {data['training_sha256'][:12]}"))
    origin.add(line("test set", f"{data['test_rows']:,} rows", f"sha256 {data['test_sha256'][:12]}"))
    tree.add(line("params", f"sha256 {found['params']['sha256']}"))
    tree.add(line("template", found["template"]))
    libraries = ", ".join(f"{name} {version}" for name, version in environment["libraries"].items())
    tree.add(line("environment", f"Python {environment['python']}", environment["image"], libraries))
    tree.add(line("gate", gate["result"], gate["reason"]))
    moves = tree.add(line("moves", None if found["moves"] else "none is on record"))
    for move in found["moves"]:
        by = f"approved by {move['approver']}, run by {move['actor']}" if move["approver"] else f"by {move['actor']}"
        way = f"from {move['from'] or '-'} to {move['to'] or '-'}" if move["action"] != "register" else ""
        moved = " ".join(filter(None, [move["time"][:16].replace("T", " "), move["action"], way, by]))
        moves.add(escape(f"{moved}: {move['reason']}"))
    if logged := found.get("predictions"):
        rows = f"{logged['rows']:,} rows" if "rows" in logged else logged.get("unreadable")
        span = f"{logged['first']} to {logged['last']}" if logged.get("first") else ""
        tree.add(line("predictions", logged["log"], rows or "not on this machine or empty", span))
    return tree
