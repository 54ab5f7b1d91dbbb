"""A fleet of projects on disk: at mixed versions, with mixed edits, some of them broken."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import copier
import yaml

from support.template import TAG, git, remembered_compilations, unreleased, without_clouds

VERSIONS = ("v9997.0.0", "v9998.0.0", TAG)
ANSWERS = ".copier-answers.yml"
NAMES = (
    "https://github.com/copier-mlops/copier-mlops",
    "https://github.com/Copier-MLOps/copier-mlops.git/",
    "git@github.com:copier-mlops/copier-mlops.git",
    "ssh://git@github.com/copier-mlops/copier-mlops",
    "gh:copier-mlops/copier-mlops",
)
VARIANTS = (
    {},
    {"task": "regression", "framework": "xgboost"},
    {"framework": "lightgbm", "owner_name": "Pricing <b>&</b> 'co'"},
)
WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Tests"), ("EMAIL", "tests@example.com"))
}


def versions(template, folder):
    """A clone of the template under test with older versions: a line of noxfile.py is new in each.

    In the newest a line of errors.py is new as well, and a file.
    """
    unreleased(template, folder)
    without_clouds(folder)
    git("remote", "remove", "origin", cwd=folder)
    sources = {name: folder / "template" / name for name in ("noxfile.py", "src/mlops/errors.py")}
    texts = {name: path.read_text(encoding="utf-8") for name, path in sources.items()}
    for number, version in enumerate(VERSIONS):
        lines = {"noxfile.py": version, "src/mlops/errors.py": "new" if version == TAG else "old"}
        for name, path in sources.items():
            path.write_text(texts[name] + line(lines[name]), encoding="utf-8")
        if version == TAG:
            (folder / "template/src/mlops/brand_new.py").write_text('"""New."""\n', encoding="utf-8")
        _commit(folder, version, number)
        git("tag", version, cwd=folder)
    return folder


def line(what):
    return f"\n# The line of {what}.\n"


@dataclass
class Kind:
    """What a user did to a project, and what must be found of it."""

    name: str
    diverged: list = field(default_factory=list)
    conflicts: list = field(default_factory=list)


KINDS = (
    Kind("untouched"),
    Kind("seed"),
    Kind("same-line", ["noxfile.py"], ["noxfile.py"]),
    Kind("other-line", ["src/mlops/errors.py"]),
    Kind("shared", []),
    Kind("deleted", ["src/mlops/ui.py"]),
    Kind("same-name", [], ["src/mlops/brand_new.py"]),
    Kind("pipeline"),
    Kind("two-lines", ["noxfile.py", "src/mlops/errors.py"], ["noxfile.py", "src/mlops/errors.py"]),
)


@dataclass
class Member:
    """A project of the fleet and what is true of it."""

    number: int
    version: str
    kind: Kind
    answers: dict

    @property
    def name(self):
        return f"model-{self.number:03}"

    @property
    def lag(self):
        return len(VERSIONS) - 1 - VERSIONS.index(self.version)

    @property
    def diverged(self):
        # At the newest version the file that others add by hand is the template's.
        own = ["src/mlops/brand_new.py"] if self.kind.name == "same-name" and not self.lag else []
        return sorted(self.kind.diverged + own)

    @property
    def conflicts(self):
        return self.kind.conflicts if self.lag else []


def member(number):
    """The project of a number: versions, edits and answers in turn."""
    kind, answers = KINDS[(number // 3) % len(KINDS)], VARIANTS[(number // 27) % len(VARIANTS)]
    return Member(number, VERSIONS[number % 3], kind, dict(answers))


def build(template, folder, count, *, unique=False):
    """Makes `count` projects below a folder; of those with the same answers the first is copied.

    `unique` gives each a name of its own, as in life.
    """
    folder.mkdir(parents=True)
    bases, made, threads = {}, [], ThreadPoolExecutor(4)
    members = [member(number) for number in range(count)]
    for one in members:
        if unique:
            one.answers["project_name"] = f"Model {one.number:03}"
        key = (one.version, *sorted(one.answers.items()))
        if key not in bases:
            place = folder.parent / f"{folder.name}-bases" / str(len(bases))
            bases[key] = _base(template, place, one.version, one.answers)
        source = NAMES[one.number % len(NAMES)] if one.number % 6 else str(template)
        made.append(threads.submit(_make, bases[key], folder / one.name, one.kind.name, source, one.number % 150))
    for project in made:
        project.result()
    shutil.rmtree(folder.parent / f"{folder.name}-bases")
    return members


def _make(base, project, kind, source, days):
    # Links, so that nothing is written; `_write` does not write through them.
    shutil.copytree(base, project, symlinks=True, copy_function=os.link)
    _edit(project, kind, source)
    _commit(project, kind, days)


def _base(template, folder, version, answers):
    with remembered_compilations():
        copier.run_copy(str(template), folder, data=answers, defaults=True, quiet=True, vcs_ref=version)
    git("init", "-q", "--template=", cwd=folder)
    settings = {"core.checkStat": "minimal", "core.trustCtime": "false", "core.logAllRefUpdates": "false"}
    for name, value in {**settings, "gc.auto": "0", "maintenance.auto": "false"}.items():
        git("config", name, value, cwd=folder)
    _commit(folder, "Start", 0)
    git("repack", "-q", "-a", "-d", cwd=folder)
    return folder


def _edit(project, kind, source):
    write_answers(project, _src_path=source)
    nox, errors = project / "noxfile.py", project / "src/mlops/errors.py"
    if kind == "seed":
        _append(project / "params.yaml", "# mine\n")
    if kind in {"same-line", "two-lines"}:
        write(nox, nox.read_text(encoding="utf-8").replace("# The line of", "# My line, not of"))
    if kind == "two-lines":
        _append(errors, "# mine, beside the template's\n")
    if kind == "other-line":
        write(errors, "# mine, on top\n" + errors.read_text(encoding="utf-8"))
    if kind == "shared":
        for name in ("README.md", ".gitignore", "pyproject.toml"):
            _append(project / name, "\n# Mine\n")
    if kind == "deleted":
        (project / "src/mlops/ui.py").unlink()
    if kind == "same-name":
        write(project / "src/mlops/brand_new.py", '"""Mine."""\n')
    if kind == "pipeline":
        write(project / "dvc.lock", "schema: '2.0'\n")


def _append(path, text):
    write(path, path.read_text(encoding="utf-8") + text)


def write(path, text):
    """Writes a file of a project anew: others may be links to the one that is there."""
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")


def write_answers(project, **changes):
    """Changes entries of the answers file; None takes one out."""
    path = project / ANSWERS
    content = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    kept = {name: value for name, value in content.items() if value is not None}
    write(path, yaml.safe_dump(kept))


def _commit(folder, message, days):
    moment = f"{1_780_000_000 + 86_400 * days} +0000"
    env = {**os.environ, **WHO, "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
    for command in (["add", "-A"], ["commit", "-q", "--allow-empty", "--no-verify", "-m", message]):
        subprocess.run(["git", *command], cwd=folder, env=env, check=True)
    # Git writes through it: as a link, it would be that of all copies.
    (folder / ".git" / "COMMIT_EDITMSG").unlink()


def state(folder):
    """Everything below a folder, git's own files included, but for times: to see that nothing changed."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and not path.is_symlink():
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
