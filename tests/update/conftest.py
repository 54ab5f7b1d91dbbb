"""The template with versions before and after the one under test, and projects made from them."""

import pytest
from support import user, versions
from support.questions import label
from support.template import TAG, copy


@pytest.fixture(scope="session")
def history(template, once):
    """A clone of the template under test that has an older and a newer version too."""
    with once("history") as folder:
        if folder:
            versions.clone(template, folder)
    return once.path("history")


@pytest.fixture(scope="session")
def started(history, once):
    """`started(version, **answers)`: a project of that version in git, made once and shared: copy it."""

    def started(version, **answers):
        name = "-".join(["started", version, label(answers)]).replace(" ", "_")
        with once(name) as folder:
            if folder:
                copy(history, folder, vcs_ref=version, **answers)
                user.commit(folder, "Start")
        return once.path(name)

    return started


@pytest.fixture
def fresh(started):
    """`fresh(**answers)` is the version under test with these answers; shared, not to be changed."""
    return lambda version=TAG, **answers: started(version, **answers)


@pytest.fixture
def identity(monkeypatch):
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Tests")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "tests@example.com")
