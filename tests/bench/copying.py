"""How long `copier copy` takes."""

import shutil
from collections.abc import Iterator
from itertools import count

from harness import Bench, Row, measurement


@measurement
def copy(bench: Bench) -> Iterator[Row]:
    """The whole project beside a template of one file and one question, which is copier's own time."""
    single = bench.folder / "single"
    (single / "template").mkdir(parents=True)
    (single / "copier.yml").write_text(
        "_subdirectory: template\nproject_name:\n  type: str\n  default: Flight delays\n"
    )
    (single / "template" / "README.md.jinja").write_text("# {{ project_name }}\n")
    for command in (["init"], ["add", "--all"], ["commit", "--message", "One file"]):
        bench.run("git", *command, cwd=single)
    numbers = count(1)

    def copied(template: object) -> float:
        target = bench.folder / f"copy-{next(numbers)}"
        command = ["copier", "copy", "--defaults", "--vcs-ref", "HEAD", template, target]
        seconds = bench.run(*command, cwd=bench.folder).seconds
        shutil.rmtree(target)
        return seconds

    comparison = bench.compare(lambda: copied(bench.template), lambda: copied(single), repeats=7)
    yield comparison.row("`copier copy` of the project", "of a one-file template", at_most=2.5)
