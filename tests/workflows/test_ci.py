"""The project's CI is run, not just read: every job of ci.yml, on this machine, with act."""

import subprocess
import sys

from support.workflows import act, load

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
STUBS = {
    "astral-sh/setup-uv": "uv --version",
    "actions/upload-artifact": 'cp -R "$INPUT_PATH" "$STUBS/$INPUT_NAME"',
}


def test_a_pull_request_to_a_new_project_is_green(project, tmp_path):
    mine = project(python_version=PYTHON)
    mine.run("mlops", "init")

    # Of all that a pull request starts; train.yml compares two commits, which needs an event that names them.
    chosen = ["-W", ".github/workflows/ci.yml"]
    done = act(mine, "pull_request", *chosen, stubs=STUBS, folder=tmp_path / "act")

    assert done.out.count("Job succeeded") == 5  # lint, typecheck, tests, pipeline, done
    assert "Job failed" not in done.out
    assert (tmp_path / "act" / "report" / "index.html").is_file()


def test_done_needs_every_job_and_fails_unless_all_succeeded(render):
    jobs = load(render() / ".github" / "workflows" / "ci.yml")["jobs"]
    done = jobs.pop("done")

    assert sorted(done["needs"]) == sorted(jobs)
    assert done["if"] == "always()"
    (step,) = done["steps"]
    for results, code in {
        "success success": 0,
        "success failure": 1,
        "failure success": 1,
        "cancelled success": 1,
        "success skipped": 1,
    }.items():
        shell = ["bash", "-e", "-c", step["run"]]
        ended = subprocess.run(shell, env={"RESULTS": results}, check=False)
        assert ended.returncode == code, results


def test_every_job_has_a_time_limit_and_says_its_rights(render):
    for path in (render(clouds=["aws"]) / ".github" / "workflows").iterdir():
        workflow = load(path)
        assert workflow["permissions"] == {}, path.name
        assert "concurrency" in workflow, path.name
        for name, job in workflow["jobs"].items():
            assert "timeout-minutes" in job, (path.name, name)
            assert "permissions" in job, (path.name, name)
