"""The model card: made with each version, from its run, its owners' words and the audit log."""


def place(project, version, ending="md"):
    (file,) = (project.path / "mlruns").glob(f"*/{project.versions[version]}/artifacts/card/card.{ending}")
    return file


def card(project, version, ending="md"):
    return place(project, version, ending).read_text(encoding="utf-8")


def test_each_version_has_a_card_with_what_a_reader_needs(project):
    text = card(project, "2")
    for heading in (
        "# flight-delays version 2",
        "## Intended use",
        "## Known limits",
        "## Data",
        "## Performance on the test set",
        "## Performance by slice",
        "## Calibration",
        "## Drift",
        "## Approvals",
        "## Where it comes from",
    ):
        assert f"\n{heading}\n" in f"\n{text}", heading
    assert "**champion since" in text
    assert "| origin = JFK |" in text
    assert "| gate |" in text
    assert project.lock["stages"]["ingest"]["outs"][0]["md5"] in text
    page = card(project, "2", "html")
    assert page.count("<table>") >= 6
    assert page.count("<svg") == 3
    assert "http" not in page.replace("http://www.w3.org", "").replace("https://matplotlib.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "")


def test_a_browser_opens_the_card_without_an_error(original, opens_well):
    assert "flight-delays version 2" in opens_well(place(original, "2", "html"))


def test_a_promotion_renews_the_card_and_the_verb_writes_it(project):
    project.mlops("promote", "1", "--approver", "Bo | <b>", "--reason", "Less <script>alert(1)</script>\n| noise")
    assert "**champion since" in card(project, "1")
    assert "Bo" in card(project, "1")
    page = card(project, "1", "html")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    out = project.mlops("card", "2").out.splitlines()
    assert out == ["reports/cards/version-2.md", "reports/cards/version-2.html"]
    text = (project.path / out[0]).read_text(encoding="utf-8")
    assert "by version 1**" in text
    assert "**replaced on" in text
    assert text == card(project, "2")


def test_the_owners_words_are_those_of_the_day_and_no_markup_of_theirs_runs(project):
    file = project.path / "docs" / "model-card.md"
    file.write_text(
        "## Intended use\n\nTo test. <img src=x onerror=alert(1)> [x](javascript:alert(1))\n", encoding="utf-8"
    )
    project.set({"estimator.max_iter": 11})
    project.mlops("run")
    page = card(project, "3", "html")
    assert "To test." in page
    assert "<img" not in page
    assert 'href="javascript' not in page
    assert "To test." not in card(project, "2")
    file.unlink()
    project.mlops("card", "3")
    assert "To test." in card(project, "3")
