"""A project that was made from a release runs after the update, with its old seeds and its user's stage."""

import pytest
from support import user
from support import workspace as workspaces
from support.releases import supported
from support.template import TAG, copy, update


@pytest.mark.parametrize("release", supported(), ids=lambda release: release.tag)
def test_the_pipeline_runs_after_an_update_from_each_release(history, started, environment, tmp_path, release):
    folder = copy(history, tmp_path / "project", vcs_ref=release.tag)
    user.work(folder, started(release.tag), started(TAG))
    user.commit(folder)
    update(folder)
    assert user.unmerged(folder) == []
    project = workspaces.workspace(environment.install(folder), DVC_SITE_CACHE_DIR=tmp_path / "dvc")
    project.mlops("run")
    assert project.champion == "1"
    assert (folder / "reports" / "mine.txt").read_text(encoding="utf-8") == "mine"
