# The template's: `copier update` renews this file.
"""The files that the pipeline image is built from: what .dockerignore lets in."""

import os
from collections.abc import Iterator
from pathlib import Path


def context(root: Path) -> Iterator[Path]:
    """Those files, relative to the project's folder; as in Docker, the last pattern that fits decides."""
    from pathspec import GitIgnoreSpec

    rules = root / ".dockerignore"
    lines = rules.read_text(encoding="utf-8").splitlines() if rules.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    # Docker's patterns begin at the folder; git's do so with a slash.
    anchored = [f"!/{line[1:].lstrip('/')}" if line.startswith("!") else f"/{line.lstrip('/')}" for line in patterns]
    spec = GitIgnoreSpec.from_lines(anchored)
    wanted = [line[1:].strip("/") for line in patterns if line.startswith("!")]
    for folder, names, files in os.walk(root):
        here = Path(folder).relative_to(root)
        inside = {name: (here / name).as_posix() for name in names}
        names[:] = sorted(
            name for name, path in inside.items() if not spec.match_file(f"{path}/") or _leads_to(path, wanted)
        )
        yield from (here / name for name in sorted(files) if not spec.match_file((here / name).as_posix()))


def _leads_to(folder: str, wanted: list[str]) -> bool:
    """Whether something that is let in may lie in a folder that is not."""
    return any(line.startswith((f"{folder}/", "*")) for line in wanted)
