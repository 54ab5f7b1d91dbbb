"""Write the reference pages from the code that they describe, whenever the site is built."""

import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to the site."""
    source = str(ROOT / "template" / "src")
    if source not in sys.path:
        sys.path.insert(0, source)
    pages = {"questions": questions, "verbs": verbs, "params": params, "settings": settings, "aws": aws, "azure": azure}
    for name, make in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=make()))
    return files


def cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines) + "\n"


def questions() -> str:
    import yaml

    asked = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    rows = []
    for name, question in asked.items():
        if name.startswith("_"):
            continue
        choices = question.get("choices", [])
        values = list(choices.values()) if isinstance(choices, dict) else choices
        default = str(question.get("default", ""))
        shown = "made from the answers before it" if "{%" in default or "{{" in default else f"`{default}`"
        rows.append([f"`{name}`", question.get("help", ""), ", ".join(f"`{value}`" for value in values), shown])
    return (
        "# Questions\n\nWhat `copier copy` asks. `--data NAME=VALUE` answers beforehand, `--defaults` takes all.\n\n"
        + table(["name", "question", "choices", "default"], rows)
    )


def verbs() -> str:
    from typer.main import get_command

    from mlops.cli import app

    group: Any = get_command(app)
    parts = [
        "# Verbs\n\n`mlops VERB --help` says the same. "
        "Exit codes: 0 done, 1 failed, 2 wrong use, 3 there is something to do.\n"
    ]
    for path, command in _commands(group, "mlops"):
        parts.append(f"\n## `{path}`\n\n{cell(command.help or '')}\n")
        rows = []
        for parameter in command.params:
            names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
            if "--help" not in names:
                rows.append([names, getattr(parameter, "help", "") or ""])
        if rows:
            parts.append("\n" + table(["", ""], rows))
    return "".join(parts)


def _commands(group: Any, prefix: str) -> list[tuple[str, Any]]:
    found = []
    for name, command in group.commands.items():
        path = f"{prefix} {name}"
        found += _commands(command, path) if hasattr(command, "commands") else [(path, command)]
    return found


def params() -> str:
    from mlops.params import Params

    return (
        "# params.yaml\n\nEverything that changes a model. Each key has a default, so an old file goes on working; "
        "`mlops doctor` names the keys that a file lacks. An unknown key is an error.\n\n"
        + table(["key", "type", "default", "meaning"], list(_fields(Params, "")))
    )


def _fields(model: Any, prefix: str) -> list[list[str]]:
    from pydantic import BaseModel
    from pydantic_core import PydanticUndefined

    meanings = docstrings(model)
    rows = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            rows += _fields(kind, f"{prefix}{name}.")
            continue
        shown = getattr(kind, "__name__", None) if isinstance(kind, type) else str(kind).replace("typing.", "")
        default = "" if field.default is PydanticUndefined else f"`{field.default}`"
        rows.append([f"`{prefix}{name}`", f"`{shown}`", default, meanings.get(name, "")])
    return rows


def settings() -> str:
    from mlops.settings import Settings

    meanings = docstrings(Settings)
    rows = [
        [f"`MLOPS_{name.upper()}`", f"`{field.default}`", meanings.get(name, "")]
        for name, field in Settings.model_fields.items()
    ]
    return (
        "# Settings\n\nWhere things are: variables of the environment, or lines of `.env`, which git ignores.\n\n"
        + table(["variable", "default", "meaning"], rows)
    )


def aws() -> str:
    from mlops.platforms.aws.session import LOGINS, PURPOSES, REQUIRED

    variables = [
        [f"`MLOPS_AWS_{name.upper()}`", "yes" if name in REQUIRED else "", purpose, f"`project`, `mlops_aws_{name}`"]
        for name, purpose in PURPOSES.items()
    ]
    variables += [
        [f"`MLOPS_AWS_{name.upper()}_ROLE_ARN`", "in workflows", purpose, f"`bootstrap`, `mlops_aws_{name}_role_arn`"]
        for name, purpose in LOGINS.items()
    ]
    permissions = ROOT / "template" / "infra" / "aws" / "bootstrap"
    return (
        "# AWS\n\nVariables of the environment, lines of `.env`, and variables of GitHub have the same names. "
        "`mlops doctor --on aws` checks them and has the commands that set them. The region is `AWS_REGION`, else that "
        "of `[tool.mlops.aws]` in `pyproject.toml`.\n\n"
        + table(["variable", "needed", "meaning", "output of infra/aws"], variables)
        + "\n## What each role may do\n\nRead from `infra/aws/bootstrap`, which makes the roles; each is bounded by "
        "the project's permission boundary and bound to one environment of the repository.\n\n"
        + table(["role", "actions"], [[f"`{name}`", ", ".join(found)] for name, found in _actions(permissions)])
    )


def azure() -> str:
    from mlops.platforms.azure.session import LOGINS, PURPOSES, REQUIRED

    variables = [
        [
            f"`MLOPS_AZURE_{name.upper()}`",
            "yes" if name in REQUIRED else "",
            purpose,
            f"`project`, `mlops_azure_{name}`",
        ]
        for name, purpose in PURPOSES.items()
    ]
    logins = {f"{name}_client_id": purpose for name, purpose in LOGINS.items()}
    variables += [
        [f"`MLOPS_AZURE_{name.upper()}`", "in workflows", purpose, f"`bootstrap`, `mlops_azure_{name}`"]
        for name, purpose in {"tenant": "the tenant that workflows log in to", **logins}.items()
    ]
    return (
        "# Azure\n\nVariables of the environment, lines of `.env`, and variables of GitHub have the same names. "
        "`mlops doctor --on azure` checks them and has the commands that set them. The locations are those of "
        "`[tool.mlops.azure]` in `pyproject.toml`.\n\n"
        + table(["variable", "needed", "meaning", "output of infra/azure"], variables)
        + "\n## What each identity may do\n\nRead from `infra/azure/project`, in its environment alone; "
        "`infra/azure/README.md` has the rest.\n\n"
        + table(["identity", "on", "role of Azure"], _roles(ROOT / "template" / "infra" / "azure" / "project"))
    )


def _roles(folder: Path) -> list[list[str]]:
    """Which role each identity of an environment is given, and on what."""
    import re

    text = (folder / "roles.tf").read_text(encoding="utf-8")
    given = re.search(r"^  given = \{\n(.*?)^  \}", text, re.MULTILINE | re.DOTALL)
    assert given, "roles.tf gives nothing"
    return [
        [f"`{who}`", where, role]
        for who, body in re.findall(r"^    (\w+) = \{(.*?)^    \}", given[1], re.MULTILINE | re.DOTALL)
        for where, role in re.findall(r'^ +(\w+) += "([^"]+)"', body, re.MULTILINE)
    ]


def _actions(folder: Path) -> list[tuple[str, list[str]]]:
    """The roles of workflows that change a model and its endpoint, and the services and actions in their statements."""
    import re

    text = (folder / "permissions_ml.tf").read_text(encoding="utf-8")
    found = []
    for name, body in re.findall(r"^  (\w+) = \{(.*?)^  \}", text, re.MULTILINE | re.DOTALL):
        actions = re.findall(r'"([a-z-]+:[A-Za-z]+\*?)"', body)
        found.append((name, [f"`{action}`" for action in dict.fromkeys(actions)]))
    return found


def docstrings(model: Any) -> dict[str, str]:
    """The text below each field of a class, which is where its meaning is written."""
    import ast
    import inspect
    import itertools
    import textwrap

    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0].body  # type: ignore[attr-defined]
    found = {}
    for field, text in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[field.target.id] = text.value.value
    return found
