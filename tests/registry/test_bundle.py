"""A bundle on disk: what reads it leaves it as it is."""

from support.template import files

LOAD = "from mlops.registry.bundle import load_bundle; load_bundle(Path('models/bundle'))"


def test_only_libraries_leave_bytecode_behind(project, tmp_path):
    cache = tmp_path / "cache"
    before = files(project.path / "models/bundle")
    project.run(project.python, "-c", f"from pathlib import Path; {LOAD}", PYTHONPYCACHEPREFIX=cache)
    written = files(cache)
    assert any("sklearn/ensemble" in name for name in written), "or each new process would compile them again"
    assert not [name for name in written if "models/bundle" in name]
    assert files(project.path / "models/bundle") == before
