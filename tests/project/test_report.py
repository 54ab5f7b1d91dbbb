"""The report: one page with everything in it, that a browser shows without a word of complaint."""

import html.parser
import json
import re

import pytest

OUTSIDE = re.compile(r"^(?!#|data:)", re.IGNORECASE)
# Names of XML, which nothing fetches.
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


class Page(html.parser.HTMLParser):
    """What a page would fetch, its scripts, its headings, and elements that are not closed."""

    VOID = ("meta", "link", "br", "img", "hr", "input")

    def __init__(self, text):
        super().__init__()
        self.fetched, self.scripts, self.headings, self.open, self.ids = [], 0, [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.fetched += [
            value for name, value in attributes if name in ("src", "href", "xlink:href") and OUTSIDE.match(value or "")
        ]
        self.scripts += tag == "script"
        self.ids += [named["id"]] if "id" in named else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data.strip())


@pytest.mark.parametrize(("task", "framework"), [("classification", "scikit-learn"), ("regression", "xgboost")])
def test_the_report_holds_everything_and_fetches_nothing(first_run, task, framework):
    project, _ = first_run(task, framework)
    text = (project.path / "reports/index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert (page.fetched, page.scripts) == ([], 0)
    assert (
        set(re.findall(r"https?://[^\s\"'<>)]+", re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)))
        <= NAMESPACES
    )
    assert "@import" not in text
    assert len(page.ids) == len(set(page.ids)), "plots keep their names apart"
    assert page.headings[0] == "flight-delays"
    assert {"Gate", "Metrics on the test set", "Plots", "Slices", "Lineage"} <= set(page.headings)
    assert text.count("<svg") == 3
    metrics = json.loads((project.path / "reports/metrics.json").read_text(encoding="utf-8"))
    for name in metrics:
        assert f"<td>{name}" in text
    assert project.runs[0]["mlops.commit"] in text


def test_a_browser_opens_the_report_without_an_error(first_run, opens_well):
    project, _ = first_run("classification", "scikit-learn")
    assert "Registered as version 1" in opens_well(project.path / "reports/index.html")


def test_what_users_wrote_is_shown_and_not_executed(small):
    """A category of the data is text in the page, whatever it looks like."""
    project = small()
    project.edit(
        "PACKAGE/dataset.py", 'carrier: str = pa.Field(str_length={"min_value": 2, "max_value": 2})', "carrier: str"
    )
    project.edit_data("frame.with_columns(carrier=pl.lit('<script>alert(1)</script> & \"q\" {{ 7*7 }}'))")
    project.mlops("run", code=None)
    text = (project.path / "reports/index.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "{{ 7*7 }}" in text
    assert Page(text).open == []
