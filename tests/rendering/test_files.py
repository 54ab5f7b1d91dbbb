"""What a copy writes: exactly these files, all of which parse, with no Jinja left and no trust."""

import ast
import configparser
import filecmp
import itertools
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath

import pytest
import yaml
from support.questions import asked, choices, everything, label, singly
from support.template import ROOT, TAG, files, git

# A path a line. One that not all projects have ends in the answer that brings it, `infra/aws/main.tf  # clouds: aws`,
# in the question where any answer but none does, or in several of these, one of which is enough:
# `.github/workflows/deploy.yml  # clouds or kubeflow`. `clouds+` is more than one answer.
PATHS = Path(__file__).with_name("paths.txt").read_text(encoding="utf-8").splitlines()
ANSWERS = [
    *({"task": task, "framework": name} for task, name in itertools.product(choices()["task"], choices()["framework"])),
    *({name: answer} for name, answer in singly() if name not in {"task", "framework"}),
    *filter(None, [everything()]),
    {"project_name": "Churn", "project_slug": "churn-2", "package_name": "churners"},
]
BINARY = {".parquet"}
every_answer = pytest.mark.parametrize("answers", ANSWERS, ids=label)


def expected(answers):
    """The paths of a project with these answers, the others being the defaults."""
    given = {name: about.get("default", ()) for name, about in asked().items()} | answers
    for line in PATHS:
        path, _, condition = line.partition("  # ")
        if not condition or any(meets(given, each) for each in condition.split(" or ")):
            yield path.replace("PACKAGE", answers.get("package_name", "flight_delays"))


def meets(given, condition):
    """Whether answers are such that a condition of paths.txt holds."""
    question, _, wanted = condition.partition(": ")
    chosen = given[question.removesuffix("+")]
    if question.endswith("+"):
        return len(chosen) > 1
    return wanted in chosen if wanted else bool(chosen)


def text_files(project):
    return [project / name for name in files(project) if Path(name).suffix not in BINARY]


@every_answer
def test_exact_set_of_files_and_no_empty_folder(render, answers):
    project = render(**answers)
    assert set(files(project)) == set(expected(answers)), "Meant to be? Then change paths.txt beside this test."
    assert [path for path in project.rglob("*") if path.is_dir() and not any(path.iterdir())] == []


def test_paths_are_sorted_and_each_is_named_once():
    assert sorted(set(PATHS)) == PATHS


@every_answer
def test_every_file_parses_and_keeps_no_jinja(render, answers):
    for path in text_files(render(**answers)):
        text = path.read_bytes().decode("utf-8")
        assert "\r" not in text, path
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), path
        assert not re.search(r"[ \t]$", text, re.MULTILINE), path
        parse(path, text)
        if path.suffix != ".py" and path.parent.name != "html":
            left = re.search(r"(?<!\$)\{\{|\{%|\{#", text)
            assert left is None, f"{path}: {text[left.start() :][:60]}"


def parse(path, text):
    if path.suffix in {".yaml", ".yml"}:
        list(yaml.safe_load_all(text))
    elif path.suffix == ".toml":
        tomllib.loads(text)
    elif path.suffix == ".json":
        json.loads(text)
    elif path.suffix == ".py":
        ast.parse(text)
    elif path.parts[-2:] == (".dvc", "config"):
        configparser.ConfigParser().read_string(text)


def test_only_templates_are_rendered(template, render):
    """A file whose name does not end in .jinja is copied as it is."""
    project, source = render(package_name="package_name", **everything()), template / "template"
    for name in files(source):
        if not name.endswith(".jinja"):
            copied = project / name.replace("{{ package_name }}", "package_name")
            assert filecmp.cmp(source / name, copied, shallow=False), name


def test_nothing_asks_for_trust():
    settings = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    asking = {"_tasks", "_jinja_extensions", "_migrations", "_external_data"}
    assert asking & set(settings) == set()


def test_template_paths_can_be_checked_out_on_windows(template):
    names = git("ls-files", "-z", cwd=template).split("\0")
    reserved = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
    for name in filter(None, names):
        for part in PurePosixPath(name).parts:
            assert not re.search(r'[<>:"|?*\\\x00-\x1f]|[. ]$', part), name
            assert not reserved.fullmatch(part), name
        assert len(name) < 150, name
    assert len({name.lower() for name in names}) == len(names)


def test_command_line_copies_the_same_and_says_what_comes_next(template, render, tmp_path):
    folder = tmp_path / "it's here"
    command = [sys.executable, "-m", "copier", "copy", "--defaults", "--vcs-ref", TAG]
    done = subprocess.run(
        [*command, str(template), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    rendered = render()
    assert files(folder) == files(rendered)
    for name in files(rendered):
        assert filecmp.cmp(folder / name, rendered / name, shallow=False), name
    said = [line.strip() for line in done.stderr.splitlines()]
    at = said.index("uv run mlops init")
    assert said[at + 1] == "uv run mlops run"
    asked = subprocess.run(["sh", "-c", f"{said[at - 1]} && pwd"], capture_output=True, text=True)  # noqa: PLW1510
    assert asked.stdout.rstrip("\n") == str(folder)


def test_a_folder_with_files_keeps_them(render, tmp_path):
    folder = tmp_path / "mine"
    kept = {
        "notes.md": "mine\n",
        "src/other/module.py": "x = 1\n",
        "data/raw.csv": "a\n1\n",
        "tests/test_other.py": "def test(): pass\n",
    }
    for name, text in kept.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    before = set(files(folder))
    render(into=folder)
    assert {name: (folder / name).read_text(encoding="utf-8") for name in kept} == kept
    assert set(files(folder)) - before == set(files(render()))


def test_a_file_of_the_same_name_is_not_overwritten_unasked(template, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "README.md").write_text("mine\n", encoding="utf-8")
    command = [sys.executable, "-m", "copier", "copy", "--defaults", "--vcs-ref", TAG]
    done = subprocess.run(
        [*command, str(template), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 1
    assert "--overwrite" in done.stderr
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize("name", ["Apache-2.0", "MIT", "BSD-3-Clause", "Proprietary"])
def test_license_names_the_owner(render, name):
    project = render(license=name, owner_name="Ada & Söhne")
    text = (project / "LICENSE").read_text(encoding="utf-8")
    assert re.search(r"Copyright( \(c\))? Ada & Söhne", text)
    assert "[yyyy]" not in text
    said = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert said["license"] == ("LicenseRef-Proprietary" if name == "Proprietary" else name)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_oldest_python_is_said_to_packaging_and_tools(render, version):
    settings = tomllib.loads((render(python_version=version) / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["project"]["requires-python"] == f">={version}"
    assert settings["tool"]["mypy"]["python_version"] == version


def test_env_example_names_every_setting(render):
    project = render()
    tree = ast.parse((project / "src" / "mlops" / "settings.py").read_text(encoding="utf-8"))
    (settings,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    names = {f"MLOPS_{node.target.id}".upper() for node in settings.body if isinstance(node, ast.AnnAssign)}
    example = (project / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^# ([A-Z_]+)=", example, re.MULTILINE)) == names
    assert not re.search(r"^[^#\n]", example, re.MULTILINE)
