"""Run in a project: a registration and a promotion, cut short before each call that writes, then done again."""

import json
import shutil
import sys
from pathlib import Path

from mlflow import MlflowClient

from mlops import tracking
from mlops.params import load_params
from mlops.project import load_project
from mlops.registry import judge as judges
from mlops.registry.audit import ledger_problems, read_ledger
from mlops.registry.promotion import Promotions
from mlops.settings import load_settings

WRITES = [
    "create_experiment",
    "create_model_version",
    "create_registered_model",
    "create_run",
    "delete_registered_model_alias",
    "log_artifact",
    "log_artifacts",
    "log_batch",
    "log_inputs",
    "log_param",
    "set_model_version_tag",
    "set_registered_model_alias",
    "set_registered_model_tag",
    "set_terminated",
    "update_run",
]


class Killed(BaseException):
    """As good as SIGKILL: no handler of the machinery's catches it."""


class Counter:
    """Lets a number of writes pass, and ends the process's work at the next one."""

    left = 10**9

    def guard(self, name):
        original = getattr(MlflowClient, name)

        def write(client, *arguments, **options):
            if self.left == 0:
                raise Killed(name)
            self.left -= 1
            return original(client, *arguments, **options)

        setattr(MlflowClient, name, write)


def store(number, settings):
    """A store of its own for each attempt: an open one keeps what it has read."""
    folder = Path(f".mlops/kills/{number}")
    folder.mkdir(parents=True)
    shutil.copyfile("mlflow.db", folder / "mlflow.db")
    return settings.model_copy(update={"tracking_uri": f"sqlite:///{folder}/mlflow.db"})


def main(what):
    project, params, settings = load_project(), load_params(), load_settings()
    counter, ends = Counter(), []
    for name in WRITES:
        counter.guard(name)

    def register(at):
        judges.load_settings = lambda: at
        judges.judge(project, params)

    def promote(at):
        promotions = Promotions(tracking.open_client(at), project, at)
        promotions.promote("1", approver="Bo", reason="Why not.")

    act = register if what == "register" else promote
    for number in range(200):
        at, counter.left = store(number, settings), number
        try:
            act(at)
            finished = True
        except Killed:
            finished = False
        counter.left = 10**9
        act(at)
        client = tracking.open_client(at)
        ledger = read_ledger(client, project.name)
        versions = client.search_model_versions(f"name = '{project.name}'")
        moves = [(entry.action, entry.to_version) for entry in ledger.entries]
        ends.append([ledger.aliases, len(versions), moves, ledger_problems(project.name, ledger, tracking.CHAMPION)])
        if finished:
            break
    print(json.dumps(ends))


main(sys.argv[1])
