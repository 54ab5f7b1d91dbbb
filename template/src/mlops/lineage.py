"""Where a model comes from: commit, changes, data, parameters and template, as tags of its run."""

import subprocess
from pathlib import Path
from typing import Any

from mlops.files import file_hash
from mlops.params import Params
from mlops.pipeline.paths import METRICS, RAW
from mlops.source import FINGERPRINT

WRITTEN_BY_A_RUN = ("dvc.lock", FINGERPRINT.as_posix(), METRICS.as_posix())
"""Files in git that a run itself brings up to date: their change is no change of the user's."""


def git(*arguments: str) -> str | None:
    """The output of a git command in the current folder, or None where it fails."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def uncommitted_patch() -> str:
    """The user's uncommitted changes as a patch, new files included; empty in a clean tree."""
    aside = [f":(exclude){name}" for name in WRITTEN_BY_A_RUN]
    changed = git("diff", "--binary", "HEAD", "--", ".", *aside) or ""
    added = git("ls-files", "--others", "--exclude-standard", "-z", "--", ".", *aside) or ""
    for name in filter(None, added.split("\0")):
        # `git diff --no-index` exits with 1 where there is a difference, which is always here.
        done = subprocess.run(
            ["git", "diff", "--binary", "--no-index", "--", "/dev/null", name],
            capture_output=True,
            check=False,
        )
        changed += done.stdout.decode("utf-8", "replace")
    return changed


def data_hash() -> str:
    """The MD5 of the ingested data, as DVC has it in `dvc.lock`; reckoned where it is not there yet."""
    import yaml

    lock = Path("dvc.lock")
    locked: Any = yaml.safe_load(lock.read_text(encoding="utf-8")) if lock.is_file() else {}
    for stage in (locked or {}).get("stages", {}).values():
        for out in stage.get("outs", []):
            if out.get("path") == RAW.as_posix() and out.get("size") == RAW.stat().st_size:
                return str(out["md5"])
    return file_hash(RAW, "md5")


def template_version() -> str:
    """The version of the template that this project was last updated to."""
    import yaml

    answers = Path(".copier-answers.yml")
    if not answers.is_file():
        return "unknown"
    return str((yaml.safe_load(answers.read_text(encoding="utf-8")) or {}).get("_commit", "unknown"))


def lineage_tags(params: Params, patch: str) -> dict[str, str]:
    """The tags that every run and every model version carries."""
    return {
        "mlops.commit": (git("rev-parse", "HEAD") or "none").strip(),
        "mlops.dirty": str(bool(patch)).lower(),
        "mlops.data_md5": data_hash(),
        "mlops.params_sha256": params.hash,
        "mlops.template_version": template_version(),
    }
