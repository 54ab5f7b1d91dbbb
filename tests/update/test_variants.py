"""An update keeps every line of the user's and brings every line of the template's, whatever the answers."""

import itertools

import pytest
from support import user, versions
from support.ownership import BOTH, TEMPLATE, YOU, owner, shared
from support.questions import choices, known, label
from support.releases import ROOT, supported
from support.template import TAG, git, update


def pairwise(choices):
    """Few sets of answers in which any two answers to two questions are met together."""
    choices = dict(sorted(choices.items(), key=lambda choice: -len(choice[1])))
    missing = {
        frozenset([(one, a), (two, b)]): None
        for one, two in itertools.combinations(choices, 2)
        for a, b in itertools.product(choices[one], choices[two])
    }
    while missing:
        chosen = dict(next(iter(missing)))
        for name, values in choices.items():
            if name not in chosen:
                pairs = {value: [frozenset([(name, value), other]) for other in chosen.items()] for value in values}
                chosen[name] = max(values, key=lambda value: sum(pair in missing for pair in pairs[value]))
        for pair in itertools.combinations(chosen.items(), 2):
            missing.pop(frozenset(pair), None)
        yield {name: chosen[name] for name in choices}


VARIANTS = [*pairwise(choices())]


def updates():
    """(old, new, answers): an older version to this one, this one to a newer, and every release in the window."""
    for number, answers in enumerate(VARIANTS):
        yield (versions.OLDER, TAG, answers) if number % 2 else (TAG, versions.NEWER, answers)
    for number, release in enumerate(supported()):
        asked = git("show", f"{release.commit}:copier.yml", cwd=ROOT)
        # The newest release with every variant, those before it with some of them.
        tried = VARIANTS if release == supported()[-1] else VARIANTS[number % 5 :: 5]
        yield from ((release.tag, TAG, answers) for answers in unique(known(answers, asked) for answers in tried))


def unique(found):
    return [*{label(answers): answers for answers in found}.values()]


UPDATES = [*updates()]


@pytest.mark.parametrize(
    ("old", "new", "answers"), UPDATES, ids=[f"{old}-{label(answers)}" for old, _, answers in UPDATES]
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
