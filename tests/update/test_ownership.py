"""Every path has one owner: the manifest, the pages that tell of it and the files themselves agree."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from support.ownership import BOTH, TEMPLATE, YOU, owner, shared
from support.questions import everything
from support.template import ROOT, copy, files

SAYS = "The template's: `copier update` renews this file."
SAYS_BOTH = "Shared: `copier update` renews the template's lines"
COMMENTS = {
    **dict.fromkeys([".py", ".toml", ".yaml", ".yml", ".conf", "Dockerfile", ".gitignore"], ("# ", "")),
    **dict.fromkeys([".tf", ".tfvars", ".hcl"], ("# ", "")),
    "README.md": ("<!-- ", " -->"),
    **dict.fromkeys([".html", ".md"], ("{# ", " #}")),
}
# Texts that others read to the letter: a license, and what copier and DVC write anew.
WITHOUT = {"LICENSE", ".copier-answers.yml", ".dvc/config"}


@pytest.fixture(scope="module")
def project(template, tmp_path_factory):
    """One that has all that can be chosen."""
    return copy(template, tmp_path_factory.mktemp("ownership") / "project", **everything())


def tables():
    """The pages that list owners, as (name, [(pattern, owner)])."""
    readme = (ROOT / "template" / "README.md.jinja").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "explanation" / "ownership.md").read_text(encoding="utf-8")
    for name, text in (("README.md", readme), ("ownership.md", page)):
        text = text.replace("{{ package_name }}", "flight_delays").replace("<package>", "flight_delays")  # noqa: PLW2901
        text = re.sub("{% [^%]+ %}", "", text)  # noqa: PLW2901 - all that can be chosen counts
        _, _, table = text.partition("| path | owner |")
        rows = []
        for line in table.splitlines()[2:]:
            if not line.startswith("|"):
                break
            paths, said, *_ = line.strip("|").split("|")
            found = re.findall("`([^`]+)`", paths)
            assert re.sub("`[^`]+`|,", "", paths).strip() == "", f"{name}: what is {paths.strip()}?"
            rows += [(pattern, said.strip().removeprefix("the ")) for pattern in found]
        yield name, rows


def matches(path, pattern):
    if pattern.endswith("/"):
        return path.startswith(pattern)
    return path.count("/") == pattern.count("/") and fnmatch(path, pattern)


@pytest.mark.parametrize(("name", "rows"), [*tables()], ids=["README.md", "ownership.md"])
def test_pages_name_one_owner_for_each_path_and_the_manifest_agrees(project, name, rows):
    assert {said for _, said in rows} == {YOU, BOTH, TEMPLATE}
    for path in files(project):
        fitting = [(len(pattern), said) for pattern, said in rows if matches(path, pattern)]
        said = [said for length, said in fitting if length == max(fitting)[0]]
        assert said == [owner(path)], f"{name} says {said} of {path}; the manifest says {owner(path)}"
    for pattern, _ in rows:
        assert any(matches(path, pattern) for path in files(project)), f"{name}: nothing is called {pattern}"


def test_shared_files_are_there(project):
    assert shared() <= set(files(project))


def test_files_of_the_template_open_with_a_line_that_says_so(project):
    for path in files(project):
        if path in WITHOUT or Path(path).suffix == ".parquet":
            continue
        text = (project / path).read_text(encoding="utf-8")
        if owner(path) == TEMPLATE:
            kind = Path(path).name if Path(path).name in COMMENTS else Path(path).suffix
            assert kind in COMMENTS, f"how does a comment begin in {path}?"
            start, end = COMMENTS[kind]
            assert text.startswith(f"{start}{SAYS}{end}\n"), f"{path} has to start with: {start}{SAYS}{end}"
        else:
            assert SAYS not in text, path


def test_shared_files_say_where_a_user_writes(project):
    for path in shared() - WITHOUT:
        text = (project / path).read_text(encoding="utf-8")
        if path == "README.md":
            assert "<!-- The template's: `copier update` renews" in text
            assert text.endswith("\n<!-- Yours, to the end. -->\n")
        else:
            assert text.startswith(f"# {SAYS_BOTH}")
            assert text.splitlines()[-1].startswith("# Yours, to the end")


def test_a_render_depends_on_answers_and_not_on_the_clock():
    """Else a render of an old version would differ from what it was, and every project would seem edited."""
    for folder in (ROOT / "hooks", ROOT / "template"):
        for name in files(folder):
            if name.endswith((".jinja", ".txt")):
                text = (folder / name).read_text(encoding="utf-8")
                assert not re.search(r"\bstrftime\b|\bnow\(|\bto_datetime\b|\| *(random|shuffle)\b", text), name
