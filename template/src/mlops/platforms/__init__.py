# The template's: `copier update` renews this file.
"""Where the pipeline runs and the model is served: here, or on a cloud. One adapter a platform, found by its name."""

import importlib.util
import pkgutil
from typing import TYPE_CHECKING

from mlops.errors import UsageError

if TYPE_CHECKING:
    from mlops.platforms.base import Platform
    from mlops.project import Project
    from mlops.settings import Settings

SHARED = ("base", "cloud", "container", "dag", "deploying", "doctor", "judging", "kfp", "outcome", "resources", "verbs")
"""Modules of this package that are no adapter."""


def available() -> list[str]:
    """The platforms that this project has an adapter of, in order of their names."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in SHARED)


def connect(name: str, project: "Project", settings: "Settings", *, asking: bool = True) -> "Platform":
    """The adapter of a platform; nothing is asked of the platform itself yet.

    Args:
        asking: Whether it is going to be, for which the packages of its extra are needed.

    Raises:
        UsageError: the project has no such platform, its packages are not installed, or a setting is wrong.
    """
    if name not in available():
        raise UsageError(f"--on '{name}': this project has {', '.join(available())}; others are added by copier update")
    module = importlib.import_module(f"mlops.platforms.{name}")
    sdk: str | None = getattr(module, "SDK", None)
    if asking and sdk is not None and not _is_installed(sdk):
        raise UsageError(f"--on {name} needs the package '{sdk}', which is not installed: uv sync --extra {name}")
    return module.connect(project, settings)  # type: ignore[no-any-return]


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even what it is part of
        return False
