# The template's: `copier update` renews this file.
"""The tags of images: a hash of what an image is made of, so that the same content has the same tag."""

import json
from contextlib import suppress
from pathlib import Path

from mlops.context import context
from mlops.errors import UsageError
from mlops.files import canonical_hash, file_hash

TARGETS = ("pipeline", "serving")
FILES = ("uv.lock", "Dockerfile", "apt.txt", "pyproject.toml")
"""What both images are built from, beside code."""


def image_tag(target: str, root: Path) -> str:
    """The tag of the image that these files make.

    Raises:
        UsageError: a file is missing.
    """
    if lacking := [name for name in FILES if not (root / name).is_file()]:
        raise UsageError(f"the image '{target}' is made of {lacking[0]}, which is not there; 'mlops init' makes it")
    inside = context(root)
    if target == "serving":  # which has the machinery alone
        inside = (file for file in inside if file.is_relative_to("src/mlops"))
    parts = {file.as_posix(): file_hash(root / file) for file in {*inside, *map(Path, FILES)}}
    return canonical_hash({"target": target, "files": parts})[:16]


def show_image(target: str, on: str | None, *, as_json: bool) -> bool:
    """Print the tag that an image has now or, on a platform, the image; False where the platform does not have it.

    Raises:
        UsageError: there is no such target or platform, or the platform lacks a setting.
    """
    from mlops.platforms import connect
    from mlops.project import load_project
    from mlops.settings import load_settings

    if target not in TARGETS:
        raise UsageError(f"'{target}' is no image; there is {' and '.join(TARGETS)}")
    project = load_project()
    tag = image_tag(target, project.root)
    told: dict[str, str | None] = {"target": target, "tag": tag}
    if on is not None:
        platform = connect(on, project, load_settings())
        repository = platform.repository(target)
        told |= {"repository": repository, "reference": f"{repository}:{tag}", "digest": None}
        with suppress(UsageError):
            told["digest"] = platform.image(target, tag).partition("@")[2]
    there = on is None or told["digest"] is not None
    if as_json:
        print(json.dumps(told, indent=2))
    elif on is None:
        print(tag)
    else:
        print(f"{told['repository']}@{told['digest']}" if there else f"{told['reference']} is not there")
    return there
