"""How long `copier copy` takes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import yaml
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
    bench.packed(single)
    files = 0

    def copied(template: Path, *answers: str) -> float:
        nonlocal files
        target = bench.folder / "copy"
        command = ["copier", "copy", "--defaults", "--vcs-ref", "HEAD", *answers, template, target]
        seconds = bench.run(*command, cwd=bench.folder).seconds
        files = max(files, sum(path.is_file() for path in target.rglob("*")))
        shutil.rmtree(target)
        return seconds

    comparison = bench.compare(lambda: copied(bench.template), lambda: copied(single), repeats=9)
    yield comparison.row(f"`copier copy` of the project, {files} files", "of a one-file template", at_most=2.5)

    files = 0
    asked = yaml.safe_load((bench.template / "copier.yml").read_text("utf-8"))["clouds"]["choices"]
    clouds = ["--data", f"clouds=[{', '.join(asked.values())}]"]
    comparison = bench.compare(lambda: copied(bench.template, *clouds), lambda: copied(single), repeats=9)
    yield comparison.row(f"`copier copy` with all clouds, {files} files", "of a one-file template", at_most=5)
