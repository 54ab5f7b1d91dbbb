"""GitHub workflows in tests: what they say, and a run of them on this machine with act."""

import os
import re
from pathlib import Path

import yaml

from support.environment import UV, changed, run

USES = re.compile(r"^\s*(?:-\s+)?uses:\s*(?P<action>\S+?)(?:@(?P<ref>\S+))?(?:\s+#\s*(?P<tag>\S+))?$")


def load(path):
    """A workflow as YAML; `on` stays a word and is not the boolean that YAML 1.1 takes it for."""
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - it makes text only


def uses(folder):
    """(file, action, ref, tag) of every `uses:` of an action elsewhere, below a folder's .github."""
    found = []
    for path in sorted(Path(folder, ".github").rglob("*.y*ml")):
        for line in path.read_text(encoding="utf-8").splitlines():
            match = USES.match(line)
            if match and not match["action"].startswith("./"):
                found.append((path.name, match["action"], match["ref"], match["tag"]))
    return found


def act(project, event, *arguments, stubs, folder, code=0, timeout=1200):
    """Runs the project's workflows as on `event`, jobs on this machine, and returns what act said.

    `stubs` gives the shell commands that stand for an action, by its name without a ref; they see
    the action's inputs as INPUT_<NAME> and `$STUBS`, a folder of the test's. Checking out needs no
    stub: act copies what git does not ignore. An action without a stub fails, for there is no
    network. `folder` keeps what act writes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    replaced = []
    for _, action, ref, _ in uses(project.path):
        if action in stubs:
            _write_stub(folder / "stubs" / action, stubs[action])
            replaced += ["--local-repository", f"{action}@{ref}={folder / 'stubs' / action}"]
    env = {
        "XDG_CACHE_HOME": folder / "cache",
        "UV_CACHE_DIR": run(UV, "cache", "dir", cwd=folder, env=project.env).out.strip(),
        "UV_NO_SYNC": None,
    }
    command = [
        *("act", event, "--no-cache-server", "--action-offline-mode"),
        *("--platform", "ubuntu-latest=-self-hosted"),
        *("--env", f"STUBS={folder}"),
        *replaced,
        *arguments,
    ]
    done = run(*command, cwd=project.path, env=changed(_without_venv(project), env), timeout=timeout)
    assert "Skipping unsupported platform" not in done.out + done.err, done
    assert code is None or done.code == code, f"exit code {done.code}\n{_of_failed_jobs(done.out)}{done.err}"
    return done


def take_environment_of_tests(project):
    """The setup action is the user's: here it takes the environment that the tests have, and installs no new one."""
    own = f"echo UV_PROJECT_ENVIRONMENT={project.path}/.venv >>$GITHUB_ENV\necho UV_NO_SYNC=1 >>$GITHUB_ENV"
    action = {
        "name": "Set up",
        "description": "As the tests have it.",
        "runs": {"using": "composite", "steps": [{"shell": "bash", "run": own}]},
    }
    (project.path / ".github/actions/setup/action.yml").write_text(yaml.safe_dump(action), encoding="utf-8")


def _of_failed_jobs(out):
    """The lines of jobs that failed, of all that act prints as `[workflow/job] line`."""
    lines = [(line.partition("]")[0], line) for line in out.splitlines()]
    failed = {job for job, line in lines if line.endswith("Job failed")}
    return "".join(f"{line}\n" for job, line in lines if job in failed)


def _without_venv(project):
    """The project's variables with its `.venv` off the PATH: a runner makes its own."""
    own = str(project.python.parent)
    kept = [part for part in project.env["PATH"].split(os.pathsep) if part != own]
    return {**project.env, "PATH": os.pathsep.join(kept)}


def _spellings(name):
    """What an action may call the input that its script sees as INPUT_<NAME>."""
    return sorted({name.lower().replace("_", "-"), name.lower()})


def _write_stub(folder, script):
    inputs = sorted(set(re.findall(r"INPUT_(\w+)", script)))
    outputs = re.findall(r"echo \"?([\w-]+)=.*GITHUB_OUTPUT", script)
    stub = {
        "name": "stub",
        "description": "Stands for an action in tests.",
        "inputs": {spelt: {"required": False} for name in inputs for spelt in _spellings(name)},
        "outputs": {name: {"description": name, "value": f"${{{{ steps.stub.outputs.{name} }}}}"} for name in outputs},
        "runs": {
            "using": "composite",
            "steps": [
                {
                    "id": "stub",
                    "shell": "bash",
                    "run": script,
                    "env": {
                        f"INPUT_{name}": f"${{{{ {' || '.join(f'inputs.{spelt}' for spelt in _spellings(name))} }}}}"
                        for name in inputs
                    },
                }
            ],
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    Path(folder, "action.yml").write_text(yaml.safe_dump(stub), encoding="utf-8")
