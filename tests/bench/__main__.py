"""Measure the template against what people would use instead: `nox -s bench`.

Prints one table; `--only NAME` (again and again) measures a part, `--json FILE` keeps the figures, and
`--strict` makes a bound that is not kept an exit code of 1, as what could not be measured always is.
"""

import argparse
import importlib
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from harness import MEASUREMENTS, Bench, Row, UnmeasuredError  # noqa: E402

MODULES = ("copying", "updating", "running", "memory", "serving", "monitoring", "fleet", "clouds")


def main() -> int:
    for name in MODULES:
        importlib.import_module(name)
    chosen = arguments()
    rows: list[Row] = []
    failures: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder).resolve(), chosen.repeats)
        for name in chosen.only or MEASUREMENTS:
            print(name, file=sys.stderr, flush=True)
            try:
                rows += MEASUREMENTS[name](bench)
            except UnmeasuredError as failure:
                failures.append(f"{name} could not be measured: {failure}")
                print(failures[-1], file=sys.stderr, flush=True)
    print(table(rows))
    if failures:
        print("\n" + "\n".join(failures))
    if chosen.json:
        machine = {"python": platform.python_version(), "system": platform.platform(), "processors": os.cpu_count()}
        figures = [{**asdict(row), "kept": row.kept} for row in rows]
        content = {"machine": machine, "rows": figures, "unmeasured": failures}
        chosen.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    broken = chosen.strict and not all(row.kept for row in rows)
    return 1 if failures or broken else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="nox -s bench --", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", action="append", choices=MEASUREMENTS, metavar="NAME", help=f"one of {', '.join(MEASUREMENTS)}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--strict", action="store_true", help="exit code 1 if a bound is not kept")
    parser.add_argument("--repeats", type=int, metavar="N", help="take each figure so many times")
    return parser.parse_args()


def table(rows: list[Row]) -> str:
    """The rows under their heads, in columns."""
    cells = [("what", "against", "takes", "against it", "ratio", "bound", "")]
    for row in rows:
        kept = "kept" if row.kept else "NOT KEPT"
        cells.append((row.what, row.against, row.ours, row.theirs, f"{row.ratio:.2f}", row.bound, kept))
    widths = [max(len(line[at]) for line in cells) for at in range(len(cells[0]))]
    right = {2, 3, 4}
    lines = [
        "  ".join(cell.rjust(width) if at in right else cell.ljust(width) for at, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(line, widths, strict=True)) for line in cells)
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


if __name__ == "__main__":
    sys.exit(main())
