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
    pages = {"questions": questions, "verbs": verbs, "params": params, "settings": settings, "aws": aws}
    pages |= {"azure": azure, "gcp": gcp, "kubeflow": kubeflow}
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
    from mlops.replicate import Place
    from mlops.settings import Settings

    meanings = docstrings(Settings)
    rows = [
        [f"`MLOPS_{name.upper()}`", f"`{field.default}`", meanings.get(name, "")]
        for name, field in Settings.model_fields.items()
    ]
    meanings = docstrings(Place)
    second = [[f"`MLOPS_<CLOUD>_{name.upper()}`", meanings.get(name, "")] for name in Place.model_fields]
    return (
        "# Settings\n\nWhere things are: variables of the environment, or lines of `.env`, which git ignores.\n\n"
        + table(["variable", "default", "meaning"], rows)
        + "\n## With several clouds\n\nWhere `mlops replicate --on gcp` brings the champion, with `GCP` for `<CLOUD>`: "
        "[Fail over to a second cloud](../how-to/fail-over.md).\n\n" + table(["variable", "meaning"], second)
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


def gcp() -> str:
    from mlops.platforms.gcp.session import LOGINS, PURPOSES, REQUIRED

    variables = [
        [f"`MLOPS_GCP_{name.upper()}`", "yes" if name in REQUIRED else "", purpose, f"`project`, `mlops_gcp_{name}`"]
        for name, purpose in PURPOSES.items()
    ]
    logins = {f"{name}_service_account": purpose for name, purpose in LOGINS.items()}
    variables += [
        [f"`MLOPS_GCP_{name.upper()}`", "in workflows", purpose, f"`bootstrap`, `mlops_gcp_{name}`"]
        for name, purpose in {"workload_identity_provider": "what workflows log in by", **logins}.items()
    ]
    infra = ROOT / "template" / "infra" / "gcp"
    return (
        "# Google Cloud\n\nVariables of the environment, lines of `.env`, and variables of GitHub have the same names. "
        "`mlops doctor --on gcp` checks them and has the commands that set them. The regions are those of "
        "`[tool.mlops.gcp]` in `pyproject.toml`.\n\n"
        + table(["variable", "needed", "meaning", "output of infra/gcp"], variables)
        + "\n## What each service account may do in the project\n\nRead from `infra/gcp/bootstrap`, which writes a "
        "role for each and makes the accounts; none has a key, and each of `train` and `deploy` is bound to one "
        "environment of the repository.\n\n"
        + table(["account", "permissions"], _permissions(infra / "bootstrap"))
        + "\n## And in the bucket of its environment\n\nRead from `infra/gcp/project`. `look` is to list what is "
        "there.\n\n" + table(["account", "role", "below"], _given(infra / "project"))
    )


def _permissions(folder: Path) -> list[list[str]]:
    """What the role of each account has, of those that work with a model, by kind of thing."""
    import re

    text = (folder / "permissions.tf").read_text(encoding="utf-8")
    loop = re.compile(r"\[for (\w+) in \[([^\[\]]*)\] : ([^\[\]]*)\]")
    while found := loop.search(text):
        name, values, body = found.groups()
        each = (body.replace(f"${{{name}}}", value) for value in re.findall(r'"([^"]*)"', values))
        text = text.replace(found[0], ", ".join(each))

    def said(name: str, indent: str) -> str:
        body = re.search(rf"^{indent}{name} += (\w+\(\n.*?^{indent}\)|.*?$)", text, re.MULTILINE | re.DOTALL)
        assert body, f"permissions.tf says nothing of {name}"
        return body[1]

    rows = []
    for name in ("train", "deploy", "jobs", "endpoint", "retrain"):
        whole = re.sub(r"local\.(\w+)", lambda match: said(match[1], "  "), said(name, "    "))
        kinds: dict[str, list[str]] = {}
        for permission in re.findall(r'"([a-z]+\.[A-Za-z.]+)"', whole):
            kind, _, verb = permission.rpartition(".")
            kinds.setdefault(kind, []).append(verb)
        rows.append([f"`{name}`", "; ".join(f"`{kind}`: {', '.join(verbs)}" for kind, verbs in sorted(kinds.items()))])
    return rows


def _given(folder: Path) -> list[list[str]]:
    """Which role of the bucket each account is given, and on which objects."""
    import re

    text = (folder / "data.tf").read_text(encoding="utf-8")
    given = re.search(r"^  given = \{\n(.*?)^  \}", text, re.MULTILINE | re.DOTALL)
    assert given, "data.tf gives nothing"
    rows = []
    for who, body in re.findall(r"^    ([\w-]+) += \{(.*)\}", given[1], re.MULTILINE):
        role = re.search(r"role = (\S+?),? ", f"{body} ")
        assert role, f"data.tf gives {who} no role"
        below = ", ".join(f"`{each}`" for each in re.findall(r'"([^"]*)"', body.partition("prefixes")[2]))
        rows.append([f"`{who.partition('-')[0]}`", role[1].strip('"').replace("local.", ""), below])
    return rows


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


def kubeflow() -> str:
    from mlops.platforms.kubeflow import pods
    from mlops.platforms.kubeflow.session import HERE, LOGINS, PURPOSES, REQUIRED

    needed = {name: "yes" if name in REQUIRED else "" for name in PURPOSES} | dict.fromkeys(LOGINS, "in workflows")
    variables = [
        [
            f"`MLOPS_KUBEFLOW_{name.upper()}`",
            needed[name],
            purpose,
            "this machine" if name in HERE else "`settings.env`",
        ]
        for name, purpose in {**PURPOSES, **LOGINS}.items()
    ]
    tables = {"tool.mlops.kubeflow": pods.Pods, "tool.mlops.kubeflow.every": pods.Pod}
    parts = [
        "# Kubeflow\n\nVariables of the environment, lines of `.env`, and variables of GitHub have the same names. "
        "`mlops doctor --on kubeflow` checks them and has the commands that set them. Most are lines of "
        "`infra/kubeflow/overlays/ENVIRONMENT/settings.env`.\n\n"
        + table(["variable", "needed", "meaning", "said in"], variables),
        "\n## What pods get\n\nTables of `pyproject.toml`. `every`, `spot`, `gpu` and `steps.NAME` have the same keys; "
        "what is said later comes on top. An unknown key is an error.\n",
    ]
    for name, model in tables.items():
        parts.append(f"\n### `[{name}]`\n\n" + table(["key", "type", "default", "meaning"], list(_fields(model, ""))))
    for name, model in {"tolerations": pods.Toleration, "secrets": pods.Secret, "volumes": pods.Volume}.items():
        parts.append(
            f"\n### Each of `{name}`\n\n" + table(["key", "type", "default", "meaning"], list(_fields(model, "")))
        )
    rules = ROOT / "template" / "infra" / "kubeflow" / "base"
    parts.append(
        "\n## What each role may do\n\nRead from `infra/kubeflow/base`, in its namespace alone.\n\n"
        + table(["role", "on", "what"], list(_rules(rules)))
    )
    return "".join(parts)


def _rules(folder: Path) -> "list[list[str]]":
    import yaml

    texts = [(folder / f"{name}.yaml").read_text(encoding="utf-8") for name in ("accounts", "workflows")]
    found = []
    for role in (each for text in texts for each in yaml.safe_load_all(text) if each["kind"] == "Role"):
        for rule in role["rules"]:
            names = f" {', '.join(rule['resourceNames'])}" if "resourceNames" in rule else ""
            found.append(
                [f"`{role['metadata']['name']}`", ", ".join(rule["resources"]) + names, ", ".join(rule["verbs"])]
            )
    return found


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
