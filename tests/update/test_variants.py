"""An update keeps every line of the user's and brings every line of the template's, whatever the answers."""

import itertools
from datetime import date

import pytest
import yaml
from support import user, versions
from support.ownership import BOTH, TEMPLATE, YOU, owner, shared
from support.releases import listed, window
from support.template import ROOT, TAG, git, update

CHOICES = {
    "license": ("Apache-2.0", "MIT", "BSD-3-Clause", "Proprietary"),
    "python_version": ("3.11", "3.12", "3.13", "3.14"),
    "framework": ("scikit-learn", "xgboost", "lightgbm"),
    "task": ("classification", "regression"),
    "governance": ("standard", "regulated"),
}


def pairwise(choices):
    """Few sets of answers in which any two answers to two questions are met together."""
    names = list(choices)
    missing = {
        frozenset([(one, a), (two, b)])
        for one, two in itertools.combinations(names, 2)
        for a, b in itertools.product(choices[one], choices[two])
    }
    everything = [dict(zip(names, values, strict=True)) for values in itertools.product(*choices.values())]
    while missing:
        best = max(everything, key=lambda answers: len(missing & pairs(answers)))
        missing -= pairs(best)
        yield best


def pairs(answers):
    return {frozenset(pair) for pair in itertools.combinations(answers.items(), 2)}


VARIANTS = [*pairwise(CHOICES)]


def updates():
    """(old, new, answers): an older version to this one, this one to a newer, and every release in the window."""
    for number, answers in enumerate(VARIANTS):
        yield (versions.OLDER, TAG, answers) if number % 2 else (TAG, versions.NEWER, answers)
    releases = window(listed(), date.fromisoformat(git("log", "-1", "--format=%cs", cwd=ROOT)))
    for number, release in enumerate(releases):
        known = questions(release.commit)
        for answers in VARIANTS[number % 5 :: 5]:
            yield release.tag, TAG, {name: answer for name, answer in answers.items() if answer in known.get(name, ())}


def questions(commit):
    """The choices of a released version, by question."""
    config = yaml.safe_load(git("show", f"{commit}:copier.yml", cwd=ROOT))
    choices = {
        name: about["choices"] for name, about in config.items() if isinstance(about, dict) and "choices" in about
    }
    return {name: [*(values.values() if isinstance(values, dict) else values)] for name, values in choices.items()}


UPDATES = [*updates()]


@pytest.mark.parametrize(
    ("old", "new", "answers"), UPDATES, ids=["-".join([old, *answers.values()]) for old, _, answers in UPDATES]
)
def test_update_keeps_every_line_and_brings_the_rest(started, tmp_path, old, new, answers):
    """The project, worked on, then updated, is the new version worked on; its seeds are as they were."""
    project, expected = (user.copied(started(tag, **answers), tmp_path / tag) for tag in (old, new))
    for folder in (project, expected):
        user.work(folder, started(old, **answers), started(new, **answers))
    user.commit(project)
    before = user.tree(project)
    update(project, new)
    assert user.unmerged(project) == []
    wanted = {name: content for name, content in user.tree(expected).items() if owner(name) != YOU}
    wanted |= {name: content for name, content in before.items() if owner(name) == YOU}
    user.assert_same(user.tree(project), wanted)

    user.commit(project, "Update")
    update(project, new)
    assert git("status", "--porcelain", cwd=project) == ""


def test_edits_are_many_enough_to_prove_something(started, tmp_path):
    project = user.copied(started(versions.OLDER), tmp_path / "project")
    user.work(project, started(versions.OLDER), started(TAG))
    edited = {line[3:] for line in git("status", "--porcelain", cwd=project).splitlines() if line.startswith(" M")}
    changed = git("diff", "--stat", "--no-index", started(versions.OLDER), started(TAG), cwd=tmp_path, code=None)
    assert len([name for name in edited if owner(name) == TEMPLATE]) > 20
    assert {name for name in edited if owner(name) == BOTH} == shared()
    assert changed.count("\n") > 60
