"""Which providers a configuration and the local modules that it calls need, as `required_providers` says."""

import re
from pathlib import Path

COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|#[^\n]*|//[^\n]*|/\*.*?\*/', re.DOTALL)
REQUIRED = re.compile(r"required_providers\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
PROVIDER = re.compile(r"[\w-]+\s*=\s*\{([^{}]*)\}")
MODULE = re.compile(r'^\s*source\s*=\s*"(\.{1,2}/[^"]*)"', re.MULTILINE)


def providers(folder):
    """{source: set of constraints}."""
    found, todo, seen = {}, [Path(folder).resolve()], set()
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        for path in sorted(here.glob("*.tf")):
            text = COMMENT.sub(lambda match: match[1] or "", path.read_text("utf-8"))
            todo += [(here / source).resolve() for source in MODULE.findall(text)]
            for block in REQUIRED.findall(text):
                for body in PROVIDER.findall(block):
                    said = dict(re.findall(r'(source|version)\s*=\s*"([^"]+)"', body))
                    found.setdefault(said["source"].lower(), set()).add(said.get("version", ">= 0"))
    return found
