"""Answering anew: the template's files are those of a fresh copy with the new answers, the user's stay."""

import copier
import pytest
import yaml
from support import user
from support.ownership import YOU, owner
from support.questions import label, singly
from support.template import TAG, copy, update

DEFAULTS = {
    "project_name": "Flight delays",
    "project_slug": "flight-delays",
    "package_name": "flight_delays",
    "description": "A machine learning project that trains, judges and registers its own models.",
}
CHANGES = [
    *singly(),
    ("project_name", "Late flights"),
    ("project_slug", "late-flights"),
    ("description", "Says \"late\" or 'on time', {{ 7 * 7 }} times.\n\nIn two paragraphs."),
    ("owner_name", "Ada & Söhne"),
    ("owner_email", "ada@example.org"),
    ("package_name", "late_flights"),
]


def theirs(project, package):
    return {name: content for name, content in user.tree(project).items() if owner(name, package=package) != YOU}


@pytest.mark.parametrize(("question", "answer"), CHANGES, ids=lambda value: label({"": value})[:20].rstrip())
def test_one_answer_changed_equals_a_copy_with_it(history, started, tmp_path, question, answer):
    project = user.copied(started(TAG), tmp_path / "project")
    for name in user.tree(project):
        if owner(name) == YOU:
            user.seed(project, name)
    user.commit(project)
    before = user.tree(project)
    update(project, copier.VcsRef.CURRENT, **{question: answer})
    assert user.unmerged(project) == []

    fresh = copy(history, tmp_path / "fresh", **{**DEFAULTS, question: answer})
    package = answer if question == "package_name" else "flight_delays"
    wanted = theirs(fresh, package) | {name: content for name, content in before.items() if owner(name) == YOU}
    user.assert_same(user.tree(project), wanted)

    user.commit(project)
    update(project, copier.VcsRef.CURRENT, **{question: DEFAULTS.get(question, default(started, question))})
    assert user.tree(project) == before


def default(started, question):
    return yaml.safe_load((started(TAG) / ".copier-answers.yml").read_text(encoding="utf-8"))[question]


def test_every_question_is_answered_anew(started):
    answers = yaml.safe_load((started(TAG) / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert {name for name in answers if not name.startswith("_")} == {question for question, _ in CHANGES}
    assert {name: answers[name] for name in DEFAULTS} == DEFAULTS


def test_several_answers_at_once_beside_a_users_work(history, started, tmp_path):
    answers = {"framework": "lightgbm", "task": "regression", "license": "MIT", "python_version": "3.13"}
    project = user.copied(started(TAG), tmp_path / "project")
    user.work(project, started(TAG), started(TAG))
    user.commit(project)
    update(project, copier.VcsRef.CURRENT, **answers)
    assert user.unmerged(project) == []
    expected = copy(history, tmp_path / "expected", **answers)
    user.work(expected, started(TAG), started(TAG))
    user.assert_same(theirs(project, "flight_delays"), theirs(expected, "flight_delays"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"clouds": ("aws",)}, {"clouds": ("azure",)}),
        ({"clouds": ("azure",)}, {"clouds": ("aws", "azure")}),
        ({"clouds": ("aws",)}, {"clouds": ("gcp",)}),
        ({"clouds": ("gcp",)}, {"clouds": ("aws", "gcp"), "primary_cloud": "gcp"}),
        ({}, {"kubeflow": True}),
        ({"clouds": ("gcp",)}, {"clouds": ("gcp",), "kubeflow": True}),
    ],
    ids=label,
)
def test_another_platform_equals_a_copy_with_it(history, started, tmp_path, before, after):
    project = user.copied(started(TAG, **before), tmp_path / "project")
    first = user.tree(project)
    update(project, copier.VcsRef.CURRENT, **after)
    assert user.unmerged(project) == []
    fresh = copy(history, tmp_path / "fresh", **after)
    user.assert_same(theirs(project, "flight_delays"), theirs(fresh, "flight_delays"))
    user.commit(project)
    update(project, copier.VcsRef.CURRENT, **{"clouds": (), "kubeflow": False, **before})
    user.assert_same(theirs(project, "flight_delays"), theirs(started(TAG, **before), "flight_delays"))
    assert user.tree(project).items() >= first.items(), "what is the user's stays, whatever platform it was for"
