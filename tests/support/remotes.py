"""`mlops.remote` in a project, asked from outside: a test says what to do and gets what it gives or says."""

import json
import shutil

DOES = """
import json, logging, sys
from mlops import remote
from mlops.errors import MlopsError
logging.lastResort = logging.NullHandler()  # as `mlops` has it
what, *targets = json.loads(sys.argv[1])
try:
    print(json.dumps(getattr(remote, what)(*targets)))
except MlopsError as error:
    print(json.dumps(str(error)))
"""


def ask(project, *what, **env):
    """`ask(project, "push", ["train"])` pushes: what that gave, or the line that it ended with."""
    done = project.run(project.python, "-c", DOES, json.dumps(what), **env)
    assert done.err == "", "DVC says nothing beside"
    return json.loads(done.out)


def forget(project):
    """Takes away what a new clone would not have."""
    shutil.rmtree(project.path / ".dvc/cache")
    shutil.rmtree(project.path / "models")
    (project.path / "data/raw.parquet").unlink()
