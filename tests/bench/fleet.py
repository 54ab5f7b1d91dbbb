"""How many projects a minute the fleet program looks at and tries, and how that grows with the fleet."""

import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from harness import ROOT, Bench, Row, measurement

FEW, MANY = 50, 200
LINEAR = MANY / FEW


@measurement
def fleet(bench: Bench) -> Iterator[Row]:
    """200 projects beside 50 of the same kinds, each with answers of its own; nothing kept from before."""
    from support.fleet import build, versions

    bench.say(f"make {MANY} projects at three versions")
    template = versions(bench.template, bench.folder / "fleet-template")
    clones = bench.folder / "fleet"
    build(template, clones, MANY, unique=True)
    (clones / "few").mkdir()
    for number in range(FEW):
        (clones / f"model-{number:03}").rename(clones / "few" / f"model-{number:03}")
    numbers = count(1)

    def seconds(verb: str, projects: int, cache: Path | None = None) -> float:
        source = clones if projects == MANY else clones / "few"
        place = cache or bench.folder / f"fleet-cache-{next(numbers)}"
        command = [sys.executable, ROOT / "fleet", verb, source, "--repository", template, "--cache", place]
        return bench.run(*command, "--jobs", "2", cwd=bench.folder, codes=(0, 3)).seconds

    warm = bench.folder / "fleet-cache-warm"
    seconds("list", MANY, warm)
    for what, verb, cache in (
        ("`fleet list`, first", "list", None),
        ("`fleet list`, again", "list", warm),
        ("`fleet try`", "try", None),
    ):
        bench.say(what)
        sides = bench.compare(
            lambda verb=verb, cache=cache: seconds(verb, MANY, cache),
            lambda verb=verb, cache=cache: seconds(verb, FEW, cache),
            repeats=1 if verb == "try" else 3,
            warm=False,
        )
        ours, theirs = (
            f"{60 * number / side[len(side) // 2]:,.0f} a minute"
            for number, side in ((MANY, sorted(sides.ours)), (FEW, sorted(sides.theirs)))
        )
        yield Row(f"{what}: {MANY} projects", f"{FEW} projects (time)", sides.ratio, ours, theirs, at_most=1.2 * LINEAR)
