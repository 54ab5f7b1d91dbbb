"""The image is described well: hadolint agrees, and what it copies is there and let in."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from docker.utils.build import exclude_paths
from support.environment import run

MADE_BY_INIT = {"uv.lock"}
MADE_BY_A_RUN = {"data/source.json"}
MUST_STAY_OUT = [
    ".env",
    ".dvc/config.local",
    ".dvc/cache/files/md5/aa/bb",
    ".dvc-remote/files/md5/aa/bb",
    ".git/config",
    ".venv/bin/python",
    "data/raw.parquet",
    "key.pem",
    "mlflow.db",
    "models/bundle/estimator.joblib",
    "reports/index.html",
    "src/mlops/__pycache__/cli.cpython-311.pyc",
]


@pytest.fixture
def folder(render):
    """A rendered project with the lock file that `mlops init` makes."""
    project = render()
    for name in MADE_BY_INIT:
        (project / name).touch()
    return project


def instructions(folder):
    """(instruction, rest) of each line of the Dockerfile, continued lines joined, comments out."""
    lines = (folder / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", "")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def context(folder):
    """What a builder is given, as Docker's own client reads .dockerignore."""
    patterns = (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in patterns if line and not line.startswith("#")]
    return {Path(path).as_posix() for path in exclude_paths(str(folder), patterns)}


def test_hadolint_finds_nothing(folder):
    hadolint = Path(sys.executable).with_name("hadolint")
    done = run(hadolint, "--no-color", "Dockerfile", cwd=folder, env={})
    assert done.code == 0, done


def test_the_last_target_is_pipeline_and_neither_is_run_by_root_unless_told(folder):
    """SageMaker mounts folders of root's and takes no other user: image.yml says so."""
    stages = [rest.rsplit(" AS ", 1)[1] for word, rest in instructions(folder) if word == "FROM"]
    assert stages == ["uv", "base", "environment", "runtime", "serving", "pipeline"]
    assert [rest for word, rest in instructions(folder) if word == "USER"] == ["${RUN_AS}", "${RUN_AS}"]
    assert [rest for word, rest in instructions(folder) if rest.startswith("RUN_AS")] == ["RUN_AS=1000", "RUN_AS=1000"]
    assert any(word == "RUN" and "useradd --uid 1000" in rest for word, rest in instructions(folder))


def test_images_for_a_cloud_are_built_to_run_as_root(render):
    workflow = render(clouds=["aws"]) / ".github/workflows/image.yml"
    assert "--build-arg RUN_AS=root" in workflow.read_text(encoding="utf-8")


def test_both_targets_have_the_clouds_packages(folder):
    syncs = [rest for word, rest in instructions(folder) if word == "RUN" and "uv sync" in rest]
    assert len(syncs) == 2
    assert all("--all-extras" in rest for rest in syncs)


def test_what_serves_has_the_machinery_and_no_model_and_listens_to_all(folder):
    lines = instructions(folder)
    start = lines.index(("FROM", "runtime AS serving"))
    serving = lines[start : lines.index(("FROM", "runtime AS pipeline"))]
    assert [rest for word, rest in serving if word == "COPY"] == ["src/mlops src/mlops"]
    assert ("ENTRYPOINT", '["python", "-m", "mlops"]') in serving
    assert ("CMD", '["serve", "--host", "0.0.0.0"]') in serving
    assert any(word == "ENV" and "MLOPS_HOST=0.0.0.0" in rest for word, rest in serving)


def test_what_it_copies_and_mounts_is_in_the_context(folder):
    inside = context(folder)
    sources = []
    for word, rest in instructions(folder):
        if word == "COPY" and "--from=" not in rest:
            *found, _ = [part for part in rest.split() if not part.startswith("--")]
            sources += found
        if word == "RUN":
            mounts = re.findall(r"--mount=(\S+)", rest)
            options = [dict(pair.split("=", 1) for pair in mount.split(",")) for mount in mounts]
            sources += [
                option["source"] for option in options if option.get("type", "bind") == "bind" and "from" not in option
            ]
    assert {"pyproject.toml", "uv.lock", "."} <= set(sources)
    assert set(sources) - {"."} <= inside


def test_stages_find_in_it_what_no_other_stage_makes(folder):
    stages = yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"].values()
    outs = {next(iter(out)) if isinstance(out, dict) else out for s in stages for out in s.get("outs", [])}
    outs |= {next(iter(out)) if isinstance(out, dict) else out for s in stages for out in s.get("metrics", [])}
    deps = {dep for stage in stages for dep in stage.get("deps", [])}
    needed = {"dvc.yaml", "params.yaml", *deps} - outs - MADE_BY_A_RUN
    assert {"data/sample/flights.parquet", "src/mlops/cli.py"} <= context(folder)
    assert needed <= context(folder)


def test_secrets_data_and_history_stay_out(folder):
    for name in MUST_STAY_OUT:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert not set(MUST_STAY_OUT) & context(folder)


@pytest.mark.parametrize("python_version", ["3.11", "3.12", "3.13", "3.14"])
def test_image_and_ci_take_the_oldest_python_of_the_project(python_version, render):
    project = render(python_version=python_version)
    for name in ("Dockerfile", ".github/actions/setup/action.yml"):
        (command,) = re.findall(r"\$\((sed .*?pyproject\.toml)\)", (project / name).read_text())
        shell = ["bash", "-c", command]
        done = subprocess.run(shell, cwd=project, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == python_version, name
