"""Two at once, and one that is killed: a champion is moved once, or not at all, and the log is whole."""

import subprocess
from pathlib import Path

KILLS = Path(__file__).with_name("kills.py")


def test_a_promotion_cut_short_before_any_write_is_completed(project):
    ends = project.script(KILLS.read_text(encoding="utf-8"), "promote", timeout=600)
    assert len(ends) > 4
    whole = [["register", "1"], ["promote", "1"], ["register", "2"], ["promote", "2"], ["promote", "1"]]
    for end in ends:
        assert end == [{"champion": "1"}, 2, whole, []]


def test_a_registration_cut_short_before_any_write_is_completed(project):
    """The third version, of the pipeline's present outputs: every write of the judge's in turn."""
    project.set({"estimator.max_iter": 11})
    project.mlops("run", "evaluate")
    ends = project.script(KILLS.read_text(encoding="utf-8"), "register", timeout=900)
    assert len(ends) > 20
    for aliases, versions, moves, problems in ends:
        assert (aliases, versions, problems) == ({"champion": "3"}, 3, [])
        assert moves[-2:] == [["register", "3"], ["promote", "3"]]
        assert len(moves) == 6


def test_two_promotions_at_once_make_one_champion(project, log):
    """Both were decided on while version 2 was champion, so the second one is not valid any more."""
    commands = [["rollback", "--reason", "One."], ["rollback", "--reason", "Two."]]
    processes = [
        subprocess.Popen(
            ["mlops", *command],
            cwd=project.path,
            env=project.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    done = [(process.communicate(timeout=120), process.returncode) for process in processes]
    told = "".join(err for (_, err), _ in done)
    assert sorted(code for _, code in done) == [0, 1], told
    assert "no champion before it" in told or "is version 1 now, no longer version 2" in told
    assert project.champion == "1"
    assert [entry["action"] for entry in log(project)].count("rollback") == 1
    project.mlops("audit", "verify")
