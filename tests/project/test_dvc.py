"""`mlops run` leaves what `dvc repro` would, and two runs at once do not harm each other."""

import os
import signal
import subprocess
import time


def test_stages_in_one_process_and_in_processes_of_their_own_leave_the_same_lock(small):
    project, original = small(), small(ran=True)
    project.mlops("run", "ingest")  # which writes the fingerprint that ingest depends on
    project.run("dvc", "repro", "--force")
    assert project.lock == original.lock
    assert set(project.outputs) == set(original.outputs)
    assert project.champion == "1"
    # Each finds the other's work done.
    assert "Nothing to do" in project.mlops("run").out
    assert "train" not in original.run("dvc", "status").out


def test_two_runs_at_once(small):
    project, original = small(), small(ran=True)
    started = [
        subprocess.Popen(
            ["mlops", "run"],
            cwd=project.path,
            env=project.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            executable=project.python.with_name("mlops"),
        )
        for _ in range(2)
    ]
    ended = [(*process.communicate(timeout=300), process.returncode) for process in started]
    for _, err, code in ended:
        assert code in (0, 1)
        if code:
            (line,) = err.strip().splitlines()
            assert "another run" in line
    assert 0 in [code for *_, code in ended]
    project.mlops("run")
    assert project.lock == original.lock
    assert (list(project.versions), project.champion, len(project.runs)) == (["1"], "1", 1)


def test_an_interrupted_run_says_how_to_go_on(small):
    project = small()
    path, busy = project.path / "src/flight_delays/features.py", project.path / "busy"
    features = path.read_text(encoding="utf-8")
    path.write_text(f"{features}\n\nimport time\n\nopen('busy', 'w').close()\ntime.sleep(300)\n", encoding="utf-8")
    process = subprocess.Popen(
        ["mlops", "run"],
        executable=project.python.with_name("mlops"),
        cwd=project.path,
        env=project.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while not busy.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does for Ctrl-C
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err.strip().splitlines() == ["mlops: interrupted; run the same command again to go on"]
    path.write_text(features, encoding="utf-8")
    busy.unlink()
    project.mlops("run")
    assert project.champion == "1"


def test_any_command_may_be_a_stage(small):
    project = small()
    with (project.path / "dvc.yaml").open("a", encoding="utf-8") as stages:
        stages.write(
            "\n  count:\n"
            "    cmd: python -c \"print(sum(1 for _ in open('data/source.json')))\" > data/count.txt\n"
            "    deps:\n      - data/source.json\n    outs:\n      - data/count.txt\n"
        )
    done = project.mlops("run")
    assert project.champion == "1"
    assert (project.path / "data/count.txt").read_text(encoding="utf-8").strip().isdigit()
    assert "count" in project.lock["stages"]
    assert "Nothing to do" in project.mlops("run").out
    assert done.err.strip() == ""


def test_a_stage_of_one_s_own_that_fails_fails_the_run(small):
    project = small()
    with (project.path / "dvc.yaml").open("a", encoding="utf-8") as stages:
        stages.write('\n  broken:\n    cmd: python -c "raise SystemExit(4)"\n    deps:\n      - data/raw.parquet\n')
    done = project.mlops("run", code=1)
    assert "broken" in done.err
    assert "Traceback" not in done.err
