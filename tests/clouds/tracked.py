"""What a project does with its registry, whatever server that is on."""

import json

from support.template import git


def from_first_to_last(project, verb, tmp_path):
    """Trains two versions, moves the champion and asks each verb of the registry; `verb` runs one on the server."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def mlops(*arguments):
        done = verb(*arguments, TMPDIR=scratch)
        left = [path.name for path in scratch.iterdir() if not path.name.startswith("uv-")]
        assert not left, f"mlops {arguments[0]} left {left}"
        return done

    done = mlops("run")
    assert "flight-delays version 1" in done.out
    assert done.err == ""
    assert "Nothing to do: flight-delays version 1" in mlops("run").out
    project.set({"estimator.max_iter": 12})
    _commit(project, "Second")
    assert "flight-delays version 2" in mlops("run").out
    assert "ersion 1 of flight-delays is the champion" in mlops("rollback").out
    assert "ersion 2" in mlops("promote", "2", "--reason", "Better.", "--approver", "Ann").out
    assert "each follows from the one before" in mlops("audit", "verify").out
    assert json.loads(mlops("lineage", "--json").out)["version"] == "2"
    assert (project.path / mlops("card").out.splitlines()[0]).is_file()
    assert "is what its commit" in mlops("reproduce", "--here").out
    mlops("score", "data/sample/flights.parquet", tmp_path / "scores.parquet")
    assert (tmp_path / "scores.parquet").is_file()


def _commit(project, message):
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    git(*who, "commit", "-q", "-a", "--no-verify", "-m", message, cwd=project.path)
