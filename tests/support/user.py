"""What a user does to a project between two updates: edits of all kinds, each away from the template's own."""

import re
import shutil
from pathlib import Path

from support.environment import UV, run
from support.ownership import TEMPLATE, YOU, owner
from support.template import files, git
from support.versions import WHO, line_between

DELETED = ("tests/machinery/test_metrics.py", "tests/test_gate.py")
OWN_FILES = {
    ".github/workflows/mine.yml": "name: mine\non: workflow_dispatch\njobs: {}\n",
    "docs/mine.md": "Mine.\n",
    "src/mlops/mine.py": '"""Mine, where it does not belong."""\n',
    "src/flight_delays/mine.py": '"""Mine."""\n',
    "notes/a b/ä 'ö'.txt": "Mine.\n",
}
STAGE = """
  mine:
    cmd: python -c "open('reports/mine.txt', 'w').write('mine')"
    deps:
      - data/test.parquet
    outs:
      - reports/mine.txt
"""
STEP = """
    - name: Mine
      shell: bash
      run: echo mine
"""
SHARED = {
    ".gitignore": "/mine/\n",
    ".env.example": "# MINE=\n",
    ".dockerignore": "!mine\n",
    ".dvcignore": "mine\n",
    ".gitattributes": "*.mine binary\n",
    "README.md": "\n## Mine\n\nA section of mine.\n",
    "pyproject.toml": "\n[tool.coverage.run]\nbranch = true\n",
}


def work(project, old, new, *, package="flight_delays", uv=None):
    """Edits everything that a user may edit; `old` and `new` are new projects of the two versions of an update.

    `uv` is the environment in which `uv add` runs; without it the same lines are written.
    """
    for name in files(project):
        if owner(name, package=package) == YOU:
            seed(project, name)
    template_files(project, old, new, package=package)
    shared_files(project, uv)
    for name, text in OWN_FILES.items():
        write(project / name.replace("flight_delays", package), text)
    for name in DELETED:
        (project / name).unlink()


def seed(project, name):
    path = project / name
    if path.suffix == ".parquet":
        path.write_bytes(path.read_bytes() if name.endswith("flights.parquet") else b"mine")
        return
    text = path.read_text(encoding="utf-8")
    more = {"dvc.yaml": STAGE, "action.yml": STEP}.get(path.name, "")
    path.write_text(f"{opening(path)}{text}{more}{opening(path)}", encoding="utf-8")


def opening(path):
    return "Mine.\n" if path.suffix == ".md" else "# Mine.\n"


def template_files(project, old, new, *, package="flight_delays"):
    """A line in two of three machinery files, where the versions do not differ; whole ones stay for comparison."""
    for number, name in enumerate(sorted({*files(old)} & {*files(new)})):
        kind = Path(name).suffix or Path(name).name
        if owner(name, package=package) == TEMPLATE and number % 3 and kind in {".py", ".yml", ".yaml", "Dockerfile"}:
            beside = line_between(*((folder / name).read_text(encoding="utf-8") for folder in (old, new)))
            if beside is not None:
                indent = re.match(" *", beside)[0]
                insert_after(project / name, beside, f"{indent}# Mine: {name}")


def shared_files(project, uv=None):
    for name, text in SHARED.items():
        with (project / name).open("a", encoding="utf-8") as file:
            file.write(text)
    insert_after(
        project / "README.md", "<!-- Yours, to the next such line: what a reader should know first. -->", "\nMine.\n"
    )
    replace(project / ".dvc" / "config", "remote = local", "remote = mine")
    with (project / ".dvc" / "config").open("a", encoding="utf-8") as file:
        file.write("['remote \"mine\"']\n    url = s3://mine/data\n")
    pyproject = project / "pyproject.toml"
    if uv:
        for arguments in (["httpx"], ["--dev", "ipython"]):
            done = run(UV, "add", "-q", "--frozen", *arguments, cwd=project, env=uv)
            assert done.code == 0, done
        assert run(UV, "version", "-q", "--frozen", "0.2.0", cwd=project, env=uv).code == 0
    else:
        insert_after(pyproject, "    # Yours: `uv add NAME` writes below.", '    "httpx",')
        insert_after(pyproject, "    # Yours: `uv add --dev NAME` writes below.", '    "ipython",')
        replace(pyproject, 'version = "0.1.0"', 'version = "0.2.0"')
    insert_after(pyproject, "    # Yours.", '    "S301",')


def insert_after(path, line, new):
    replace(path, f"\n{line}\n", f"\n{line}\n{new}\n")


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path} holds {text.count(old)} times: {old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def commit(project, message="Work"):
    """Commits all, in a repository that is made if there is none; git ignores what an environment adds."""
    if not (project / ".git").exists():
        git("init", "-q", cwd=project)
        (project / ".git" / "info").mkdir(exist_ok=True)
        (project / ".git" / "info" / "exclude").write_text(".venv\n", encoding="utf-8")
    git("add", "-A", cwd=project)
    git(*WHO, "commit", "-q", "--no-verify", "--allow-empty", "-m", message, cwd=project)


def copied(project, folder):
    """The same project elsewhere, with its history."""
    shutil.copytree(project, folder, symlinks=True)
    return Path(folder)


def tree(project, *, without=(".git", ".venv", "__pycache__", "uv.lock")):
    """Every file of a project and its bytes."""
    return {name: (project / name).read_bytes() for name in files(project, without=without) if name not in without}


def unmerged(project):
    """Paths that git says are in conflict."""
    return sorted({line.partition("\t")[2] for line in git("ls-files", "-u", cwd=project).splitlines()})


def assert_same(found, expected):
    """Two trees are the same; else says which file differs, and the first lines in which it does."""
    assert sorted(found) == sorted(expected)
    for name, content in found.items():
        if content != expected[name]:
            assert content.decode().splitlines() == expected[name].decode().splitlines(), name
