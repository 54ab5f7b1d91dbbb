"""Projects of a template that has a newer release."""

from itertools import count

import pytest
from support.successor import OLD, commit, two_releases
from support.template import copy


@pytest.fixture(scope="session")
def releases(template, once):
    """The template with the releases v1.0.0, which is the state under test, and v1.1.0."""
    with once("two-releases") as folder:
        if folder:
            two_releases(template, folder)
    return once.path("two-releases")


@pytest.fixture
def started(releases, environment, tmp_path):
    """`started()` is a project of v1.0.0 that can run and is in git; `into` and `template` say where and of what."""
    numbers = count(1)

    def started(into=None, template=releases, version=OLD):
        project = environment.install(copy(template, into or tmp_path / f"project-{next(numbers)}", vcs_ref=version))
        if into is None:
            commit(project.path)
        return project

    return started
