"""Versions of the template before and after the one under test, made of it by changing lines."""

import re
import shutil
from difflib import SequenceMatcher
from functools import cache

from support.ownership import BOTH, TEMPLATE, YOU, owner
from support.template import TAG, files, git

OLDER, NEWER = "v9998.0.0", "v10000.0.0"
WHO = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
EVERY = 20
# Files of the machinery that the older version does not have yet.
NOT_YET = ("src/mlops/ui.py", "tests/machinery/test_split.py", ".github/zizmor.yml")
COMING = ("src/mlops/coming.py", "A module that comes with the newer version.")
# The lines of shared files beside which users write: the template must leave these alone.
FENCES = (
    *("#", "[", "]", "<!--", "*", "version", "readme", "src = ", "strict", "ignore_missing", "testpaths", "mlops ="),
    *("autostage", "remote = local", "url = ../.dvc-remote"),
)


def add_versions(template, *, newer=True):
    """Tags an older and a newer version in a clone of the template."""
    git("checkout", "-q", TAG, cwd=template)
    shape(template, older_lines, older_shared)
    for name in NOT_YET:
        (template / "template" / name).unlink()
    commit(template, OLDER)
    git("checkout", "-q", TAG, cwd=template)
    if not newer:
        return
    shape(template, newer_lines, newer_shared)
    name, text = COMING
    (template / "template" / name).write_text(f'# The template\'s.\n"""{text}"""\n', encoding="utf-8")
    commit(template, NEWER)
    git("checkout", "-q", TAG, cwd=template)


def commit(template, tag):
    git("add", "-A", cwd=template)
    git(*WHO, "commit", "-q", "--no-verify", "-m", tag, cwd=template)
    git("tag", tag, cwd=template)


def shape(template, lines_of_machinery, lines_of_shared):
    """Changes every text file of template/; seeds as well, which an update must not bring."""
    folder = template / "template"
    for name in files(folder):
        if name.endswith(".parquet") or name.startswith("{{ _copier_conf"):
            continue
        path = folder / name
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        rendered = name.removesuffix(".jinja").replace("{{ package_name }}", "flight_delays")
        changes = {BOTH: lines_of_shared, TEMPLATE: lines_of_machinery, YOU: seed_lines}
        change = changes[owner(rendered, template=template)]
        path.write_text("".join(change(lines)), encoding="utf-8")


def plain(line):
    """Whether a line can be taken out or changed and Jinja, if it is rendered, still understands the file."""
    return "{" not in line and "}" not in line and "%" not in line


def seed_lines(lines):
    for number, line in enumerate(lines):
        yield line
        if number % EVERY == 13 and plain(line):
            yield "# Of another version.\n"


def older_lines(lines):
    for number, line in enumerate(lines):
        yield f"# As line {number} was before.\n" if number % EVERY == 13 and plain(line) else line


def newer_lines(lines):
    for number, line in enumerate(lines):
        yield f"# As line {number} will be.\n" if number % EVERY == 8 and plain(line) else line


def older_shared(lines):
    return [line for line in changed(lines, ">=1.2") if not line.startswith(("/mlflow.db", "*.swp", "!apt.txt"))]


def newer_shared(lines):
    """All that the template may change at once: lines, new ones at the ends of blocks, and new blocks."""
    toml = "[project]\n" in lines
    for line in changed(lines, ">=2.3"):
        if line.strip().startswith(("# Yours: `uv add", "# Yours.")):
            yield '    "packaging",\n'
        if line == "[tool.pytest.ini_options]\n":  # stays last, for uv adds tables after it
            yield from ("[tool.new]\n", "key = 1\n", "\n")
        elif line.startswith("<!-- Yours, to the end"):
            yield from ("## A new section\n", "\n", "Of the template.\n", "\n")
        elif line.startswith("# Yours, to the end") and not toml:
            yield from ("# New.\n", "\n")
        yield line
        if line.startswith(("dependencies = [", "dev = [")):
            yield '    "zipp",\n'
        if line.startswith("<!-- The template's"):
            yield "\nA new paragraph.\n"


def changed(lines, bound):
    """Other bounds of dependencies, and other words: every line but the fences."""
    toml = "[project]\n" in lines
    for line in lines:
        if re.match(r' +"[\w\[\]-]+>=[^{]*$', line):
            yield re.sub(r">=[\d.]+", f"{bound}", line)
        elif line.lstrip().startswith(FENCES) or not line.strip() or not plain(line):
            yield line
        elif toml:
            yield f"{line.rstrip()} # {bound}\n"
        else:
            yield f"{line.rstrip()}{bound}\n" if " " in line else line


def clone(template, folder, *, newer=True):
    """A clone of the template under test with an older and a newer version."""
    shutil.copytree(template, folder)
    add_versions(folder, newer=newer)
    return folder


@cache
def line_between(old, new):
    """A line that is there once in both texts, at least three lines away from any that differs; None without one."""
    before, after = old.splitlines(), new.splitlines()
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for start, _, size in sorted(matcher.get_matching_blocks(), key=lambda block: -block.size):
        for line in before[start + 3 : start + size - 3]:
            # A formatter would move a comment among imports.
            imports = line.strip().startswith(("import ", "from ")) or line.endswith("TYPE_CHECKING:")
            inside = line.strip() and not imports and not line.endswith("\\")
            if inside and before.count(line) == after.count(line) == 1:
                return line
    return None
