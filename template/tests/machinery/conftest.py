# The template's: `copier update` renews this file.
"""Each test works in an empty folder of its own: the machinery reads and writes where it stands."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path
