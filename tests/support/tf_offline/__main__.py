"""By hand: python tests/support/tf_offline DIR [COMMAND ...]."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from support.tf_offline.session import terraform

CHECKS = (("fmt", "-check", "-recursive", "-diff"), ("validate",), ("test",))

if len(sys.argv) < 2 or not Path(sys.argv[1]).is_dir():
    sys.exit("python tests/support/tf_offline DIR [COMMAND ...]: without a command, fmt, validate and test")

with terraform(sys.argv[1]) as run:
    for command in (("init", "-backend=false", "-input=false"), *([sys.argv[2:]] if sys.argv[2:] else CHECKS)):
        code, said = run(*command)
        if code or command[0] != "init":
            sys.stdout.write(said)
        if code:
            sys.exit(code)
