"""Lets the folder run as a program from any place: `python fleet --help`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

from fleet.cli import main  # noqa: E402

if __name__ == "__main__":
    main()
