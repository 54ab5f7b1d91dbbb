"""Texts of any kind: files stay valid, and carry the text unharmed to whoever reads them."""

import email
import email.policy
import re
import tomllib
import zipfile

import pytest
import yaml
from markdown_it import MarkdownIt
from support.environment import uv

TEXTS = {
    "quotes": """She said "it's" 'fine' \"\"\" and '''.""",
    "backslashes": r"C:\new\table \u0041 \\ \" \N{BULLET} ends in \ ",
    "jinja": "{{ 7 * 7 }} {% raw %} {# gone? #} {{ undefined }} {%- endraw %}",
    "expressions": "${{ secrets.TOKEN }} ${HOME} $(id) `id` $PATH %PATH% ${param}",
    "shell": '"; rm -rf / #',
    "emoji": "Départs 🛫👩‍👩‍👧 до срока 航班 \ufeff \u202ertl",
    "yaml": "yes: no, - [x] !tag &anchor *alias | > %TAG @at `tick # not a comment",
    "yaml ends": "--- a: b ...",
    "markdown": "# no *bold* _under_ snake_case [a](b) ![i](j) <b>x</b> a < b & c &amp; ~~s~~ |t| $x$",
    "html": "<script>alert(1)</script> <!-- a comment --> &copy; <https://example.com>",
    "list": "- not an item",
    "number": "2013. flights",
    "rule": "***",
    "toml": "x = [1] # [[table]] '''",
    "percent": "%(asctime)s {0} {name} %s",
    "long": "word " * 100 + "end",
}
LINES = {
    "lines": "first\n\n  second, indented\n\n\n- third\n1) fourth\n===\n---\n> fifth\n    code\n\tcode",
    "windows": "first\r\nsecond\rthird",
    "separators": "a\u2028b\u2029c\x85d\te",
    "padding": "  padded  ",
    "blank": " \n ",
    "fence": "```\n{% raw %}\n```\n~~~",
    "setext": "Title\n=====\n\n| a | b |\n|---|---|",
    "reference": "[a]: http://example.com\n[a]",
}


def words(text):
    """A text without the white space that HTML does not show."""
    return re.sub(r"[\s\x85]+", " ", text).strip()


def shown(markdown):
    """The text that a reader of the rendered page sees, a line a block."""
    lines = []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(markdown):
        parts = [child.content or " " for child in token.children or () if is_text(child)]
        lines += ["".join(parts)] if parts else []
    return lines


def is_text(token):
    return token.type in {"text", "text_special", "softbreak", "hardbreak"}


def load(project, name):
    text = (project / name).read_text(encoding="utf-8")
    return tomllib.loads(text) if name.endswith(".toml") else yaml.safe_load(text)


@pytest.mark.parametrize("text", [*TEXTS.values(), *LINES.values()], ids=[*TEXTS, *LINES])
def test_description(render, text):
    project = render(description=text)
    assert load(project, ".copier-answers.yml")["description"] == text
    summary = load(project, "pyproject.toml")["project"]["description"]
    assert words(summary) == words(text)
    assert not re.search(r"[\n\r\t\x85\u2028\u2029]", summary)
    readme = " ".join(shown((project / "README.md").read_text(encoding="utf-8")))
    assert words(text) in words(readme)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_names(render, text):
    text = text.strip()[:79].strip()
    project = render(project_name=text, owner_name=f"A {text}"[:80].strip())
    answers = load(project, ".copier-answers.yml")
    assert answers["project_name"] == text
    (author,) = load(project, "pyproject.toml")["project"]["authors"]
    assert author["name"] == answers["owner_name"]
    assert answers["owner_name"] in (project / "LICENSE").read_text(encoding="utf-8")
    title, *_ = shown((project / "README.md").read_text(encoding="utf-8"))
    assert words(title) == words(text)


def test_package_carries_them_all(render, environment, tmp_path):
    everything = " ".join([*TEXTS.values(), *LINES.values()])
    owner = """O'Brien "B" \\ <Söhne>, 🛫 {{ 1 }} %s; (x) @ [y]:"""
    project = render(description=everything, owner_name=owner, owner_email="o'brien+x@example.com")
    uv("build", "-q", "--wheel", "-o", tmp_path / "dist", cwd=project, env=environment.env)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = email.message_from_bytes(archive.read(name), policy=email.policy.default)
    assert words(metadata["Summary"]) == words(everything)
    assert "o'brien+x@example.com" in metadata["Author-Email"]
