"""`mlops init`, `doctor`, `ui` and every verb's `--help`."""

import re
import shutil
import socket
import subprocess
import time
import urllib.request

import pytest
from support.template import git

VERBS = ("init", "run", "stage", "doctor", "ui")


def test_help_names_each_verb_and_each_verb_has_help(small):
    project = small()
    done = project.mlops("--help", PYTHONPROFILEIMPORTTIME="1")
    for verb in VERBS:
        assert re.search(rf"^ *{verb} +\w", done.out, re.MULTILINE), verb
    assert not re.search(r"^ .*\.\.\.$", done.out, re.MULTILINE), "what a verb does is said in full"
    imported = {line.rpartition("|")[2].strip() for line in done.err.splitlines()}
    assert not imported & {"polars", "dvc", "mlflow", "pandera", "pydantic", "numpy", "rich.console"}
    for verb in VERBS:
        assert "Usage: mlops " + verb in project.mlops(verb, "--help").out
    nothing = project.mlops(code=2)
    assert "Usage: mlops" in nothing.out + nothing.err  # where to is Click's to say


def test_completion_is_there_for_a_shell(small):
    done = small().mlops(
        "--show-completion", SHELL="/bin/bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1", code=None
    )
    assert "Traceback" not in done.out + done.err


@pytest.fixture
def copied(project):
    """A project as `copier copy` leaves it, with no git repository."""
    made = project()
    assert not (made.path / ".git").exists()
    return made


def test_init_makes_what_is_missing_and_a_second_init_nothing(copied):
    for variable, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        copied.run("git", "config", "--file", copied.path / "identity", variable, value)
    done = copied.run("mlops", "init", GIT_CONFIG_GLOBAL=copied.path / "identity")
    assert done.out.count("made") >= 2
    assert git("log", "--format=%an %ae", cwd=copied.path) == "Ada ada@example.org"
    assert git("branch", "--show-current", cwd=copied.path) == "main"
    assert git("ls-files", "uv.lock", "params.yaml", cwd=copied.path).split() == ["params.yaml", "uv.lock"]
    assert (copied.path / ".git/hooks/pre-commit").is_file()
    (copied.path / "identity").unlink(missing_ok=True)
    head = git("rev-parse", "HEAD", cwd=copied.path)
    again = copied.run("mlops", "init")
    assert "made" not in again.out
    assert again.out.count("there") == 4
    assert git("rev-parse", "HEAD", cwd=copied.path) == head
    assert copied.run("mlops", "doctor").code == 0


def test_init_without_a_git_identity_commits_as_the_owner(project, tmp_path):
    made = project(owner_name='Zoë "Z" O\'Hara', owner_email="zoe@example.org")
    made.run("mlops", "init", HOME=tmp_path, XDG_CONFIG_HOME=tmp_path)
    assert git("log", "--format=%an <%ae>", cwd=made.path) == 'Zoë "Z" O\'Hara <zoe@example.org>'


def test_init_in_another_repository_touches_nothing_of_git(project, tmp_path):
    outer = tmp_path / "monorepo"
    outer.mkdir()
    git("init", "-q", cwd=outer)
    (outer / "theirs.txt").touch()
    made = project(into=outer / "models" / "flights")
    done = made.run("mlops", "init")
    assert str(outer) in done.out
    assert not (made.path / ".git").exists()
    assert not (outer / ".git/hooks/pre-commit").exists()
    assert git("rev-parse", "--verify", "-q", "HEAD", cwd=outer, code=None) == ""
    assert git("diff", "--cached", "--name-only", cwd=outer) == ""
    assert (made.path / "uv.lock").is_file()
    done = made.run("mlops", "run", "split")  # DVC, too, gets along with a repository around it
    assert "split" in done.out


def test_init_in_a_folder_that_a_repository_ignores_makes_one(project, tmp_path):
    outer = tmp_path / "clone"
    outer.mkdir()
    git("init", "-q", cwd=outer)
    (outer / ".gitignore").write_text("/demo/\n")
    made = project(into=outer / "demo")
    made.run("mlops", "init")
    assert git("log", "--format=%s", cwd=made.path).strip() == "Start from the template"
    assert git("status", "--porcelain", cwd=outer).split() == ["??", ".gitignore"]
    done = made.run("mlops", "run", "split")
    assert "split" in done.out


def test_init_without_git_on_the_path(copied, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    done = copied.run("mlops", "init", PATH=f"{copied.python.parent}:{tools}", code=1)
    assert "'git' is not on the PATH" in done.err
    assert len(done.err.strip().splitlines()) == 1


@pytest.fixture
def healthy(small):
    """A small project in which `mlops doctor` finds nothing to mend."""
    project = small()
    shutil.copy(shutil.which("true"), project.path / ".git/hooks/pre-commit")
    project.run("uv", "lock", "-q")
    assert project.mlops("doctor").code == 0
    return project


BREAK = {
    "params.yaml": (lambda path: (path / "params.yaml").write_text("task: nothing\n"), ["task is 'nothing'"]),
    "source": (lambda path: (path / "data/sample/flights.parquet").unlink(), ["data.source", "no such file"]),
    "dataset.py": (
        lambda path: (path / "src/flight_delays/dataset.py").write_text("x ="),
        ["dataset.py", "SyntaxError"],
    ),
    "features.py": (lambda path: (path / "src/flight_delays/features.py").unlink(), ["features.py", "features"]),
    "estimator.py": (
        lambda path: (path / "src/flight_delays/estimator.py").write_text(""),
        ["estimator.py", "no build"],
    ),
    "metrics.py": (lambda path: (path / "src/flight_delays/metrics.py").write_text(""), ["metrics.py", "no METRICS"]),
    "hooks": (lambda path: (path / ".git/hooks/pre-commit").unlink(), ["hooks", "pre-commit install"]),
    "no lock file": (lambda path: (path / "uv.lock").unlink(), ["uv.lock", "uv lock"]),
    "old lock file": (
        lambda path: (path / "pyproject.toml").write_text(
            (path / "pyproject.toml").read_text().replace('"dvc>=3.60,<4",', '"dvc>=3.60,<4",\n    "tomli-w>=1",')
        ),
        ["uv.lock", "lags behind"],
    ),
    "no repository": (lambda path: shutil.rmtree(path / ".git"), ["repository", "mlops init"]),
    "no remote": (lambda path: (path / ".dvc/config").write_text(""), ["DVC remote", "dvc remote add"]),
    "broken remote": (lambda path: (path / ".dvc/config").write_text("[core"), ["DVC remote"]),
}


def test_doctor_finds_each_broken_thing_and_says_how_to_mend_it(healthy):
    for name, (damage, words) in BREAK.items():
        kept = healthy.path.with_name("kept")
        shutil.copytree(healthy.path, kept, symlinks=True)
        damage(healthy.path)
        done = healthy.mlops("doctor", code=3)
        for word in words:
            assert word in done.out, f"{name}: {done}"
        assert done.out.count("✗") >= 1
        assert "Traceback" not in done.err
        shutil.rmtree(healthy.path)
        kept.rename(healthy.path)


def test_doctor_names_keys_that_have_their_defaults_and_is_content(healthy):
    healthy.set({"evaluate": None, "gate.parity": None})
    done = healthy.mlops("doctor")
    assert "evaluate" in done.out
    assert "gate.parity" in done.out


def test_doctor_finds_a_tracking_server_that_does_not_answer(healthy):
    done = healthy.mlops("doctor", code=3, MLOPS_TRACKING_URI="http://127.0.0.1:9")
    assert "http://127.0.0.1:9 does not answer" in done.out
    done = healthy.mlops("doctor", code=3, MLOPS_TRACKING_URI="gopher://nowhere")
    assert "gopher://nowhere" in done.out


def test_ui_serves_mlflow_on_the_project_s_runs(small):
    project = small(ran=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert str(port) in project.refuses("ui", "--port", str(port), code=2)
    process = subprocess.Popen(
        [project.python.with_name("mlops"), "ui", "--port", str(port)],
        cwd=project.path,
        env=project.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}/ajax-api/2.0/mlflow/experiments/get-by-name?experiment_name=flight-delays"
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:
                    assert b"flight-delays" in answer.read()
                break
            except OSError:
                assert process.poll() is None, "the server has ended"
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.5)
    finally:
        process.terminate()
        process.wait(timeout=30)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server has ended with the verb"
