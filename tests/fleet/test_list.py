"""`fleet list`: every project is found, and what is said of it is true; a broken one stops nothing."""

import json
import shutil

import pytest
from support import fleet as fleets
from support.template import ROOT, git


@pytest.fixture
def seen(look):
    return json.loads((look / "fleet.json").read_text(encoding="utf-8"))


def test_all_two_hundred_are_found_whatever_they_call_the_template(seen, clones):
    assert [project["name"] for project in seen["projects"]] == [member.name for member in clones.members]
    assert len(seen["projects"]) == 200
    assert (seen["newest"], seen["others"], seen["skipped"]) == (fleets.VERSIONS[-1], {}, {})


def test_version_lag_divergence_and_answers_are_true(seen, clones):
    for project, member in zip(seen["projects"], clones.members, strict=True):
        assert project["fault"] is None, project
        found = (project["version"], project["lag"], project["diverged"], project["status"])
        status = "lags" if member.lag else "current"
        assert found == (member.version, member.lag, member.diverged, status), (member, project)
        assert member.answers.items() <= project["answers"].items()


def test_last_update_and_last_pipeline_are_those_of_git(seen, clones):
    for project, member in list(zip(seen["projects"], clones.members, strict=True))[::17]:
        moment = git("log", "-1", "--format=%cI", "--", ".copier-answers.yml", cwd=clones.path / member.name)
        assert project["updated"] == moment
    ran = {project["name"] for project in seen["projects"] if project["pipeline"]}
    assert ran == {member.name for member in clones.members if member.kind.name == "pipeline"}


def test_looking_changes_nothing(look):
    assert json.loads((look / "same.json").read_text()) is True


def test_the_table_has_a_line_for_each_and_a_total(fleet, clones):
    done = fleet("list", clones.path, "--only", "model-00*", "--only", "model-199")
    lines = done.out.splitlines()
    members = [*clones.members[:10], clones.members[199]]
    assert [line.split()[:4] for line in lines if line.startswith("model-")] == [
        [member.name, member.version, str(member.lag), str(len(member.diverged))] for member in members
    ]
    behind = sum(1 for member in members if member.lag)
    diverged = sum(1 for member in members if member.diverged)
    total = f"11 projects, newest version v9999.0.0: {11 - behind} current, {behind} behind, {diverged} diverged"
    assert total in lines


@pytest.mark.parametrize(("only", "code"), [("model-000", 3), ("model-002", 0)])
def test_check_exits_with_3_where_one_lags(fleet, clones, only, code):
    fleet("list", clones.path, "--check", "--only", only, code=code)


def answers(**changes):
    return lambda project: fleets.write_answers(project, **changes)


def rewrite(name, text):
    return lambda project: fleets.write(project / name, text)


def remove(name):
    return lambda project: (project / name).unlink()


BROKEN = {
    "lost": (remove(".copier-answers.yml"), "no .copier-answers.yml, but src/mlops/cli.py"),
    "garbage": (rewrite(".copier-answers.yml", "a: [1,\n b: }"), ".copier-answers.yml is no YAML, line 2"),
    "binary": (rewrite(".copier-answers.yml", "\x00\x01"), ".copier-answers.yml is no YAML"),
    "list": (rewrite(".copier-answers.yml", "- 1\n"), ".copier-answers.yml holds no answers"),
    "nothing": (rewrite(".copier-answers.yml", ""), ".copier-answers.yml holds no answers"),
    "nowhere": (answers(_src_path=None), ".copier-answers.yml has no _src_path"),
    "versionless": (answers(_commit=None), ".copier-answers.yml has no _commit"),
    "future": (answers(_commit="v12345.0.0"), "version v12345.0.0 is not in the template's clone"),
    "option": (answers(_commit="--all"), "version --all is not in the template's clone"),
    "keyword": (answers(package_name="class"), "cannot be rendered again"),
}


def spoil(project, damage):
    damage(project)
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    git("add", "-A", cwd=project)
    git(*who, "commit", "-q", "--no-verify", "-m", "Spoil", cwd=project)


@pytest.fixture
def spoilt(small):
    """Good projects among broken ones, odd ones, and repositories of others."""
    made = small(12)
    names = [member.name for member in made.members]
    for name, (damage, _) in BROKEN.items():
        shutil.move(made.path / names.pop(), made.path / name)
        spoil(made.path / name, damage)
    first = made.path / names[0]
    git("clone", "-q", "--depth=1", f"file://{first}", "shallow", cwd=made.path)
    git("clone", "-q", "--bare", str(first), "bare.git", cwd=made.path)
    shutil.copytree(first, made.path / "dirty")
    (made.path / "dirty" / "notes.txt").write_text("mine", encoding="utf-8")
    shutil.copytree(first, made.path / "corrupt")
    (made.path / "corrupt" / ".git" / "HEAD").write_text("nonsense", encoding="utf-8")
    shutil.copytree(first, made.path / "foreign")
    spoil(made.path / "foreign", answers(_src_path="https://user:secret@example.com/other/template.git"))
    for name, what in {"plain": "README.md", "empty": None, "no-repository": "README.md"}.items():
        (made.path / name).mkdir()
        if name != "no-repository":
            git("init", "-q", cwd=made.path / name)
        if what:
            (made.path / name / what).write_text("Hello", encoding="utf-8")
    spoil(made.path / "plain", lambda _: None)
    # A repository with two projects in folders of it.
    shutil.copytree(first, made.path / "teams" / "mono" / "one", ignore=shutil.ignore_patterns(".git"))
    shutil.copytree(first, made.path / "teams" / "mono" / "two", ignore=shutil.ignore_patterns(".git"))
    git("init", "-q", cwd=made.path / "teams" / "mono")
    spoil(made.path / "teams" / "mono", lambda _: None)
    return made.path, names


def test_a_broken_project_is_told_and_stops_nothing(spoilt, listed, fleet):
    folder, good = spoilt
    data, projects = listed(folder)
    for name, (_, fault) in BROKEN.items():
        assert projects[name]["status"] == "broken" and fault in projects[name]["fault"], projects[name]
    assert "git rev-parse: " in projects["corrupt"]["fault"]
    for name in [*good, "shallow", "bare.git", "dirty", "teams/mono/one", "teams/mono/two"]:
        assert (projects[name]["fault"], projects[name]["diverged"]) == (None, []), projects[name]
    assert projects["shallow"]["notes"] == ["shallow clone: its history is not here"]
    assert projects["shallow"]["updated"] is None
    assert projects["dirty"]["notes"] == ["uncommitted changes"]
    assert data["others"] == {
        "empty": "no commit yet",
        "foreign": "made from https://example.com/other/template.git",
        "plain": "no .copier-answers.yml",
    }
    assert set(projects) == {
        *good,
        *BROKEN,
        "corrupt",
        "shallow",
        "bare.git",
        "dirty",
        "teams/mono/one",
        "teams/mono/two",
    }
    fleet("list", folder, "--check", code=1)
    # By another name of the template it is one of ours.
    data, projects = listed(folder, "--template", "git@example.com:other/template", "--only", "foreign")
    assert projects["foreign"]["version"] == fleets.VERSIONS[0]
    assert "foreign" not in data["others"]


def test_text_of_others_stays_text(small, fleet):
    made = small(3)
    name = "[red]\x1b[31m<script>alert(1)</script>"
    spoil(made.path / made.members[0].name, answers(owner_name=name, _commit="v1[bold]\x1b[2J"))
    page = made.path.parent / "page.html"
    done = fleet("list", made.path, "--html", page)
    assert "\x1b" not in done.out and "[bold]" in done.out
    content = page.read_text(encoding="utf-8")
    assert "<script>alert" not in content and "&lt;script&gt;alert" in content and "\x1b" not in content


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere", "nowhere: no such folder; give one with clones in it, or github:ORG"),
        (ROOT / "noxfile.py", "no such folder"),
        (ROOT / "docs", "no project of this template in"),
        ("github:", "github: names no organisation; it is to look like github:ORG"),
        ("github:a/b", "github:a/b names no organisation"),
        ("github:someone", "GITHUB_TOKEN is not set"),
    ],
)
def test_wrong_sources_get_one_line(refuses, source, message):
    assert message in refuses("list", source, code=2)


def test_a_foreign_fleet_gets_the_option_that_may_be_missing(refuses, small):
    made = small(1)
    spoil(made.path / made.members[0].name, answers(_src_path="https://example.com/fork.git"))
    told = refuses("list", made.path, code=2)
    assert "--template https://example.com/fork.git" in told


def test_wrong_options_get_one_line(refuses, clones, tmp_path):
    assert "is called nobody" in refuses("list", clones.path, "--only", "nobody", code=2)
    assert "no such folder" in refuses("list", clones.path, code=2, repository=tmp_path / "nowhere")
    assert "it has no copier.yml" in refuses("list", clones.path, code=2, repository=tmp_path)
    assert "no such folder" in refuses("list", clones.path, "--html", tmp_path / "no" / "page.html", code=2)


def test_a_template_without_releases_says_how_to_get_them(refuses, clones, template, tmp_path):
    git("clone", "-q", "--no-tags", str(template), "bare-of-tags", cwd=tmp_path)
    told = refuses("list", clones.path, code=2, repository=tmp_path / "bare-of-tags")
    assert told.endswith("has no release; get the tags with: git fetch --tags")
