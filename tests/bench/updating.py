"""How long `copier update` takes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from harness import Bench, Row, measurement


@measurement
def update(bench: Bench) -> Iterator[Row]:
    """From an older version with a user's edits, beside a copy: copier renders both versions, one of them twice."""
    from support import user, versions
    from support.template import TAG

    template = versions.clone(bench.template, bench.folder / "versions", newer=False)
    old, new, worked = (bench.folder / f"update-{name}" for name in ("old", "new", "worked"))

    def copied(folder: Path, tag: str) -> float:
        shutil.rmtree(folder, ignore_errors=True)
        command = ["copier", "copy", "--quiet", "--defaults", "--vcs-ref", tag, template, folder]
        return bench.run(*command, cwd=bench.folder).seconds

    copied(old, versions.OLDER), copied(new, TAG), copied(worked, versions.OLDER)
    user.work(worked, old, new)
    user.commit(worked)

    def updated() -> float:
        project = bench.folder / "update-project"
        shutil.copytree(worked, project)
        command = ["copier", "update", "--quiet", "--defaults", "--vcs-ref", TAG]
        seconds = bench.run(*command, cwd=project).seconds
        shutil.rmtree(project)
        return seconds

    comparison = bench.compare(updated, lambda: copied(new, TAG), repeats=5)
    yield comparison.row("`copier update` of an edited project", "`copier copy` of it", at_most=4)
