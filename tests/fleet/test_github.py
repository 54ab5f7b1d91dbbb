"""An organisation on GitHub: all of it is read, whatever mood the API is in, and updates are rolled out with care."""

import contextlib
import json
import time

import pytest
from fleet.api import Api, LimitError, RefusedError
from fleet.errors import FleetError
from support import fleet as fleets
from support.github import TOKEN, Repository, run_of, serve, soon
from support.template import git

NEWEST = fleets.VERSIONS[-1]


@pytest.fixture
def organisation(clones):
    """Nine projects, over three pages with what else an organisation has."""
    repositories = [Repository(member.name, clones.path / member.name) for member in clones.members[:27:3]]
    repositories += [Repository(f"other-{number}") for number in range(8)]
    repositories += [Repository("old", clones.path / "model-001", archived=True)]
    with serve(repositories) as github:
        yield github


@pytest.fixture
def asked(fleet):
    """Runs the program against a fake; the token must not come back."""

    def asked(github, *arguments, **how):
        how = {"GITHUB_API_URL": github.url, "GITHUB_TOKEN": TOKEN, "FLEET_INTERVAL": "0.01", **how}
        done = fleet(*arguments, **how)
        assert TOKEN not in done.out + done.err, done
        return done

    return asked


def test_an_organisation_is_read_over_all_its_pages_without_a_clone(organisation, asked, listed, clones):
    organisation.repositories["model-000"].runs = [
        run_of("lint.yml", 4, conclusion="failure"),
        run_of("train.yml", 3, conclusion="failure", at="2026-11-21T03:00:00Z"),
        run_of("ci.yml", 2, conclusion="success"),
    ]
    data = json.loads(asked(organisation, "list", "github:acme", "--json").out)
    _, local = listed(clones.path, "--only", "model-00[0369]", "--only", "model-01[258]", "--only", "model-02[14]")
    assert len(data["projects"]) == len(local) == 9
    for project in data["projects"]:
        same = ("version", "lag", "diverged", "answers", "updated", "status", "fault", "notes")
        mine = local[project["name"]]
        assert {key: project[key] for key in same} == {key: mine[key] for key in same}
    assert data["projects"][0]["pipeline"] == {
        "at": "2026-11-21T03:00:00Z",
        "outcome": "train.yml: failure",
        "url": "https://github.com/acme/x/actions/runs/3",
    }
    assert data["skipped"] == {"old": "archived"}
    assert set(data["others"]) == {f"other-{number}" for number in range(8)}
    assert organisation.counts()["GET /orgs/acme/repos"] == 3


def test_limits_and_failures_are_waited_out(organisation, asked):
    organisation.trouble = [
        ("GET /orgs/acme/repos", 502, {}, {"message": "Bad gateway"}),
        ("GET /orgs/acme/repos", 403, {"Retry-After": "1"}, {"message": "You have exceeded a secondary rate limit."}),
        ("GET .*/contents/.*", 429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": soon()}, {"message": "No"}),
        ("GET .*/git/trees/.*", 503, {}, None),
    ]
    done = asked(organisation, "list", "github:acme")
    assert organisation.trouble == []
    assert "9 projects, newest version v9999.0.0" in done.out and "1 archived one was passed over" in done.out
    assert "GitHub's rate limit holds until" in done.err


def test_a_repository_that_fails_is_told_and_stops_nothing(organisation, asked):
    organisation.always = [
        ("GET /repos/acme/model-003/.*", 403, {}, {"message": "Resource not accessible by personal access token"}),
        ("GET /repos/acme/model-006/actions/.*", 403, {}, {"message": "Resource not accessible"}),
    ]
    data = json.loads(asked(organisation, "list", "github:acme", "--json").out)
    projects = {project["name"]: project for project in data["projects"]}
    assert (
        "GitHub answered 403" in projects["model-003"]["fault"] and "not accessible" in projects["model-003"]["fault"]
    )
    assert (projects["model-006"]["fault"], projects["model-006"]["pipeline"]) == (None, None)
    assert projects["model-006"]["notes"] == ["no runs to see (403)"]
    assert len([project for project in projects.values() if project["fault"] is None]) == 8


@pytest.mark.parametrize(
    ("source", "env", "code", "message"),
    [
        ("github:nobody", {}, 2, "GitHub knows no organisation nobody that this token can see"),
        ("github:acme", {"GITHUB_TOKEN": None}, 2, "GITHUB_TOKEN is not set"),
        ("github:acme", {"GITHUB_TOKEN": "a b"}, 2, "GITHUB_TOKEN holds characters that no token has"),
        ("github:acme", {"GITHUB_TOKEN": "ghp_wrong"}, 1, "GitHub does not take the token in GITHUB_TOKEN"),
        ("github:acme", {"GITHUB_API_URL": "http://github.example.com"}, 2, "would show the token to the network"),
        ("github:acme", {"GITHUB_API_URL": "github.example.com"}, 2, "GITHUB_API_URL is no URL"),
    ],
)
def test_what_cannot_be_read_gets_one_line(organisation, refuses, source, env, code, message):
    env = {"GITHUB_API_URL": organisation.url, "GITHUB_TOKEN": TOKEN, **env}
    told = refuses("list", source, code=code, **env)
    assert message in told
    assert TOKEN not in told and "ghp_wrong" not in told


@pytest.fixture
def connect(organisation):
    """A client with these settings, closed in the end."""
    with contextlib.ExitStack() as stack:

        def connect(url=organisation.url, **how):
            return stack.enter_context(contextlib.closing(Api(url, TOKEN, **{"backoff": 0.01, **how})))

        yield connect


@pytest.fixture
def api(connect):
    return connect(patience=2)


def test_failures_are_met_a_few_times_and_no_more(organisation, api):
    organisation.always = [("GET /orgs/acme/repos", 500, {}, None)]
    with pytest.raises(FleetError, match=r"answered 500 5 times; try again later"):
        list(api.pages("orgs/acme/repos"))
    assert len(organisation.asked) == 5


def test_nobody_waits_for_ever(organisation, api, connect):
    organisation.always = [
        (
            "GET /orgs/acme/repos",
            403,
            {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": soon(3000)},
            {"message": "No"},
        )
    ]
    began = time.monotonic()
    with pytest.raises(LimitError, match=r"rate limit holds until \d\d:\d\d:\d\d; run the same command again then"):
        list(api.pages("orgs/acme/repos"))
    organisation.always = [("GET /orgs/acme/repos", 429, {"Retry-After": "0"}, {"message": "No"})]
    with pytest.raises(LimitError, match="11 times in a row"):
        list(connect().pages("orgs/acme/repos"))
    assert time.monotonic() - began < 20


def test_what_makes_something_is_not_asked_twice(organisation, api):
    organisation.always = [("POST /repos/acme/model-000/.*", 502, {}, None)]
    with pytest.raises(FleetError, match="answered 502; try again later"):
        api.post("repos/acme/model-000/actions/workflows/template-update.yml/dispatches", {"ref": "main"})
    assert len(organisation.asked) == 1


def test_the_token_stays_with_its_host(organisation, api):
    link = {"Link": '<https://elsewhere.example.com/orgs/acme/repos?page=2>; rel="next"'}
    organisation.trouble = [("GET /orgs/acme/repos", 200, link, [])]
    with pytest.raises(FleetError, match=r"on another host: https://elsewhere\.example\.com"):
        list(api.pages("orgs/acme/repos"))
    assert TOKEN not in repr(api)


def test_a_server_that_is_not_there(api, connect):
    with pytest.raises(FleetError, match="cannot be reached"):
        connect("http://127.0.0.1:9").get("x")
    with pytest.raises(RefusedError, match="GitHub answered 404 to /x: Not Found"):
        api.get("x")


LAGGING = [f"model-0{number:02}" for number in range(0, 27, 3)]


def test_the_rest_follows_where_the_first_are_green(organisation, asked):
    done = asked(organisation, "update", "github:acme", "--first", "2", "--json")
    steps = json.loads(done.out)["steps"]
    assert [(step["name"], step["first"], step["outcome"]) for step in steps] == [
        (name, number < 2, "success") for number, name in enumerate(LAGGING)
    ]
    assert organisation.started() == [(name, NEWEST) for name in LAGGING]
    # The first two were done before the third was started.
    asked_for = [path for _, path, _ in organisation.asked]
    third = asked_for.index(f"/repos/acme/{LAGGING[2]}/actions/workflows/template-update.yml/dispatches")
    polled = [place for place, path in enumerate(asked_for) if "/actions/runs/100" in path and LAGGING[0] in path]
    assert polled and max(polled) < third


@pytest.mark.parametrize("conclusion", ["failure", None])
def test_the_rest_stays_where_one_of_the_first_is_not(organisation, asked, conclusion):
    """A run that fails, and a project without the workflow."""
    organisation.repositories[LAGGING[1]].update = conclusion
    done = asked(organisation, "update", "github:acme", "--first", "2", code=1)
    assert [name for name, _ in organisation.started()] == [
        name for name in LAGGING[:2] if conclusion or name == LAGGING[0]
    ]
    assert done.out.count(f"not started: {LAGGING[1]} failed") == len(LAGGING) - 2
    assert "failure" in done.out if conclusion else "it has no template-update.yml" in done.out


def test_only_those_asked_for_to_a_version_asked_for(organisation, asked):
    asked(organisation, "update", "github:acme", "--only", "model-00*", "--to", "v9998.0.0")
    assert organisation.started() == [(name, "v9998.0.0") for name in LAGGING[:4]]


def test_a_dry_run_starts_nothing(organisation, asked):
    done = asked(organisation, "update", "github:acme", "--first", "1", "--dry-run")
    lines = [line.split()[:3] for line in done.out.splitlines() if "model-" in line]
    assert lines == [["first" if number == 0 else "then", name, "planned"] for number, name in enumerate(LAGGING)]
    assert organisation.started() == []


def test_clones_lead_to_their_repositories(organisation, asked, small):
    made = small(4)  # the third is up to date
    for member, origin in zip(
        made.members, ["git@github.com:acme/model-000.git", None, None, "/somewhere/else"], strict=True
    ):
        if origin:
            git("remote", "add", "origin", origin, cwd=made.path / member.name)
    done = asked(organisation, "update", made.path, code=1)
    assert organisation.started() == [("model-000", NEWEST)]
    assert "not started: its clone has no origin" in done.out
    assert "not started: its origin is not on GitHub" in done.out


def test_nothing_to_update(organisation, asked):
    done = asked(organisation, "update", "github:acme", "--to", "v9997.0.0")
    assert "nothing to update: none of 9 projects lags behind v9997.0.0" in done.out
