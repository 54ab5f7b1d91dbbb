"""What a configuration and the local modules that it calls need: providers, and which parts of their schemas."""

import re
from pathlib import Path

COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|#[^\n]*|//[^\n]*|/\*.*?\*/', re.DOTALL)
REQUIRED = re.compile(r"required_providers\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
PROVIDER = re.compile(r"[\w-]+\s*=\s*\{([^{}]*)\}")
WORD = re.compile(r"\w+")
MODULE = re.compile(r'^\s*source\s*=\s*"(\.{1,2}/[^"]*)"', re.MULTILINE)


def providers(folder):
    """{source: set of constraints}."""
    found = {}
    for text in texts(folder):
        for block in REQUIRED.findall(text):
            for body in PROVIDER.findall(block):
                said = dict(re.findall(r'(source|version)\s*=\s*"([^"]+)"', body))
                found.setdefault(said["source"].lower(), set()).add(said.get("version", ">= 0"))
    return found


def words(folder):
    """All words in it, among them the types of resources and data: a schema of 1,500 others takes seconds to read."""
    return {word for text in texts(folder) for word in WORD.findall(text)}


def texts(folder):
    """The files of the configuration, its tests and its local modules, without comments."""
    todo, seen = [Path(folder).resolve()], set()
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        for path in sorted((*here.glob("*.tf"), *here.glob("tests/**/*.tf"), *here.glob("**/*.tftest.hcl"))):
            text = COMMENT.sub(lambda match: match[1] or "", path.read_text("utf-8"))
            todo += [(here / source).resolve() for source in MODULE.findall(text)]
            yield text
