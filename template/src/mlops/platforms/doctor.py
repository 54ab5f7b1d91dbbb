# The template's: `copier update` renews this file.
"""`mlops doctor --on PLATFORM`: the platform's variables, what is behind them, and the commands that set them."""

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlops.doctor import Finding, look_at_remote, look_at_store, print_table
from mlops.errors import redacted
from mlops.platforms import connect
from mlops.platforms.base import Variable
from mlops.project import load_project
from mlops.settings import Settings, load_settings

PRODUCTION, TRAINING = "prod", "train"
"""Environments of the workflows. Champions train and are watched under production's data identity, without the approval
that production asks for: so jobs that do it have an environment of their own, with production's variables."""
PLANNING = "plan"


def diagnose_platform(name: str, *, as_json: bool = False) -> bool:
    """Print what was found and how to set each variable, or JSON; True where there is something to mend."""
    project, settings = load_project(), load_settings()
    platform = connect(name, project, settings)
    is_second = project.primary_cloud not in (None, name) and Path("infra", name, "project").is_dir()
    variables = list(platform.variables())
    if variables:
        variables = [*(_second_places(name) if is_second else _places(settings)), *variables]
    commands = {variable.name: list(_commands(variable, name, settings)) for variable in variables}
    findings = [Finding("environment", settings.environment, _wrong_environment(settings) if variables else None)]
    findings += [_finding(variable, commands[variable.name]) for variable in variables]
    findings += [Finding(*row) for row in platform.check()]
    if variables and not is_second:
        findings += [look_at_store(settings), look_at_remote(settings)]
    if as_json:
        told = {
            "platform": name,
            "environment": settings.environment,
            "variables": [
                {"name": one.name, "value": one.value, "purpose": one.purpose, "required": one.required}
                | {"set": commands[one.name]}
                for one in variables
            ],
            "findings": [{**finding._asdict(), "fix": finding.fix or None} for finding in findings],
        }
        print(json.dumps(told, indent=2))
    else:
        print_table(findings)
        if variables:
            print("\nThe workflows know it from variables of GitHub, which these set; leave out what is empty:\n")
            print(f"  gh variable set MLOPS_{'SECOND_' if is_second else ''}PLATFORM --body {name}")
            print("\n".join(f"  {line}" for lines in commands.values() for line in lines))
    return any(finding.fix for finding in findings)


def _wrong_environment(settings: Settings) -> str | None:
    return "export MLOPS_ENVIRONMENT=dev, or staging or prod" if settings.environment == "local" else None


def _places(settings: Settings) -> Sequence[Variable]:
    """The settings of any platform that its infrastructure decides."""
    places = ("tracking_uri", "log_uri", "data_remote")
    said = {name: getattr(settings, name) for name in places if name in settings.model_fields_set}
    return [
        Variable("MLOPS_TRACKING_URI", said.get("tracking_uri"), "MLflow's tracking server and registry"),
        Variable("MLOPS_LOG_URI", said.get("log_uri"), "where the endpoint logs predictions", required=False),
        Variable("MLOPS_DATA_REMOTE", said.get("data_remote"), "where DVC keeps data and models", required=False),
    ]


def _second_places(cloud: str) -> Sequence[Variable]:
    """The same of a cloud that another one is ahead of: `mlops replicate` brings there what taking over needs."""
    from mlops.replicate import Place

    place, output = Place.of(cloud), f"terraform -chdir=infra/{cloud}/project output -raw mlops"
    purposes = {"tracking_uri": "MLflow's server there, for 'mlops replicate'", "data_remote": "DVC's remote there"}
    return [
        Variable(f"MLOPS_{cloud.upper()}_{name.upper()}", getattr(place, name), purpose, told=f"{output}_{name}")
        for name, purpose in purposes.items()
    ]


def _finding(variable: Variable, commands: Sequence[str]) -> Finding:
    if variable.value:
        return Finding(variable.name, redacted(variable.value), None)
    return Finding(variable.name, f"not set: {variable.purpose}", commands[0] if variable.required else "")


def _commands(variable: Variable, platform: str, settings: Settings) -> Iterator[str]:
    """`gh` with the value that is set here, or else with what infra/ says: an output that has the variable's name."""
    name = variable.name
    environment = "dev" if settings.environment == "local" else settings.environment
    if variable.told is not None:
        told = variable.told
    elif variable.login is None:
        told = f"terraform -chdir=infra/{platform}/project output -raw {name.lower()}"
    else:
        told = f"terraform -chdir=infra/{platform}/bootstrap output -json {name.lower()} | jq -r"
        told += " ." if variable.login == PLANNING else f" .{environment}"
    value = shlex.quote(variable.value) if variable.value else f'"$({told})"'
    if variable.login == PLANNING:  # one for all environments, also for a pull request, which is in none
        yield f"gh variable set {name} --body {value}"
        return
    yield f"gh variable set {name} --env {environment} --body {value}"
    if environment == PRODUCTION and variable.login in (None, TRAINING):
        yield f"gh variable set {name} --env {TRAINING} --body {value}"
    if variable.planned:
        yield f"gh variable set {name} --body {value}"
