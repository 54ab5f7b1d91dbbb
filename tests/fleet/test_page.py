"""The page of the fleet: one file that sorts, filters and opens by mouse and by keyboard alone."""

import re

import pytest
from support import chromium
from support import fleet as fleets
from support.template import git

BODIES = "[...document.querySelectorAll('tbody')]"
SHOWN = f"{BODIES}.filter(body => body.checkVisibility()).map(body => body.rows[0].cells[0].textContent.trim())"
FOCUS = "document.activeElement.textContent.trim() || document.activeElement.id"
COUNT = "document.querySelector('#count').textContent"


@pytest.fixture
def page(look, tmp_path):
    if chromium.find() is None:
        pytest.skip("there is no Chromium here to open the page with")
    with chromium.opened(look / "fleet.html", tmp_path / "profile") as page:
        yield page
        assert page.said == []  # no fault, nothing blocked, nothing asked for in vain


def column(page, number):
    return page(f"{BODIES}.map(body => body.rows[0].cells[{number}].textContent.trim())")


def sorting(page):
    return page("[...document.querySelectorAll('thead th')].map(head => head.getAttribute('aria-sort'))")


def test_it_is_one_file_that_asks_for_nothing(look):
    content = (look / "fleet.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in content
    assert not re.search(r"<(?:script|img|iframe|link)[^>]+(?:src|href)=\"(?!data:)", content)
    assert "url(" not in content and "@import" not in content
    assert len(content) < 2_000_000


def test_every_project_is_a_row(page, clones):
    assert page(SHOWN) == [member.name for member in clones.members]
    assert page(COUNT) == "200 projects"
    tiles = page("[...document.querySelectorAll('.tile')].map(tile => tile.innerText.replace('\\n', ' '))")
    diverged = sum(1 for member in clones.members if member.diverged)
    assert tiles == ["200 projects", "66 current", "134 behind", f"{diverged} diverged", "0 broken"]
    member = clones.members[8]
    assert page("document.querySelectorAll('tbody')[8].rows[0].innerText.split('\\t').slice(1, 4)") == [
        member.version,
        str(member.lag),
        str(len(member.diverged)),
    ]


def test_it_sorts_by_number_and_by_version_in_both_directions(page):
    head = "document.querySelectorAll('thead button')[{}].click()"
    page(head.format(3))
    diverged = [int(text) for text in column(page, 3)]
    assert diverged == sorted(diverged) and sorting(page)[3] == "ascending"
    page(head.format(3))
    assert [int(text) for text in column(page, 3)] == diverged[::-1] and sorting(page)[3] == "descending"
    assert sorting(page).count("none") == len(sorting(page)) - 1
    page(head.format(1))
    assert column(page, 1) == sorted(column(page, 1))
    page(head.format(0))
    assert column(page, 0) == sorted(column(page, 0))


def test_it_filters_by_words_by_answers_and_by_state(page, clones):
    choose = (
        "(select => {{ select.value = '{1}'; select.dispatchEvent(new Event('change')); }})"
        "(document.querySelector('[data-facet={0}]'))"
    )
    page(choose.format("framework", "xgboost"))
    page("document.querySelector('.tile.lags').click()")
    wanted = [one for one in clones.members if one.answers.get("framework") == "xgboost" and one.lag]
    assert page(SHOWN) == [member.name for member in wanted]
    assert page(COUNT) == f"{len(wanted)} of 200 projects"
    page(choose.format("version", "v9998.0.0"))
    page("find.value = 'src/mlops/ERRORS.py model'; find.dispatchEvent(new Event('input'))")
    wanted = [one for one in wanted if one.version == "v9998.0.0" and "src/mlops/errors.py" in one.diverged]
    assert page(SHOWN) == [member.name for member in wanted] != []
    page("find.value = 'nobody'; find.dispatchEvent(new Event('input'))")
    assert page("document.querySelector('#none').checkVisibility()") is True
    page("document.querySelector('#clear').click()")
    assert len(page(SHOWN)) == 200


def test_all_of_it_is_done_from_the_keyboard(page):
    page.press("/")
    assert page(FOCUS) == "find"
    page.type("model-19")
    assert len(page(SHOWN)) == 10
    page.press("Escape")
    assert len(page(SHOWN)) == 200 and page("find.value") == ""
    while page(FOCUS) != "Behind":
        page.press("Tab")
    page.press("Enter")
    assert sorting(page)[2] == "ascending" and page(FOCUS) == "Behind"
    while page("document.activeElement.className") != "open":
        page.press("Tab")
    more = "document.activeElement.closest('tbody').rows[1].checkVisibility()"
    assert page(more) is False
    page.press(" ")
    assert page(more) is True and page("document.activeElement.getAttribute('aria-expanded')") == "true"
    page.press("Enter")
    assert page(more) is False
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page(outline) == "solid", "where the focus is can be seen"


def test_one_of_several_choices_finds_all_who_made_it(small, fleet, tmp_path):
    if chromium.find() is None:
        pytest.skip("there is no Chromium here to open the page with")
    made, who = small(4), ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    for member, clouds in zip(made.members, (["aws"], ["aws", "gcp"], [], None), strict=True):
        project = made.path / member.name
        fleets.write_answers(project, clouds=clouds)
        git(*who, "commit", "-q", "--allow-empty", "-am", "Clouds", cwd=project)
    assert "aws, gcp" in fleet("list", made.path, "--html", tmp_path / "fleet.html").out
    with chromium.opened(tmp_path / "fleet.html", tmp_path / "profile") as page:
        select = "document.querySelector('[data-facet=clouds]')"
        assert page(f"[...{select}.options].map(one => one.text)") == ["all", "aws", "gcp", "none"]
        names = [member.name for member in made.members]
        for choice, wanted in {"aws": names[:2], "gcp": names[1:2], "none": names[2:3], "": names}.items():
            page(f"{select}.value = '{choice}'; {select}.dispatchEvent(new Event('change'))")
            assert page(SHOWN) == wanted


def test_text_of_users_is_text(page):
    """An owner's name holds markup: see VARIANTS."""
    assert "Pricing <b>&</b> 'co'" in page("document.querySelector('main').textContent")
    assert page("document.querySelectorAll('tbody td b, tbody dd b').length") == 0


def test_those_who_hear_it_hear_all_of_it(page):
    """Names of all controls, heads of all columns, a change of the count that is spoken."""
    controls = "[...document.querySelectorAll('button, input, select')]"
    assert page(f"{controls}.filter(one => !(one.textContent.trim() || one.labels?.length)).length") == 0
    assert page("document.documentElement.lang") == "en"
    assert page("document.querySelectorAll('thead th[scope=col]').length") == page(
        "document.querySelector('tbody').rows[0].cells.length"
    )
    assert page("document.querySelector('#count').getAttribute('role')") == "status"
