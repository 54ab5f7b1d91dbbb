"""The how-to page "Score and serve", followed to the letter."""

import json
import re

from support import template as templates

PAGE = templates.ROOT / "docs/how-to/score-and-serve.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_of_the_page_works(project, serve):
    printed, server = {}, None
    for (text,) in (match.groups() for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))):
        if text.strip() == "uv run mlops serve":
            server = serve(project)
            continue
        command = text.replace(":8080", f":{server.port}") if server else text
        printed[text] = project.run("sh", "-ec", command).out
    *scored, ping, predictions = printed.values()
    assert all("rows scored" in said for said in scored)
    assert json.loads(ping)["version"] == "2"
    assert json.loads(predictions)["predictions"][0]["model_version"] == "2"
    for name in ("scored.parquet", "scored.csv", "aside.parquet"):
        assert (project.path / name).is_file(), name
