"""Answers: every default is valid, every wrong one gets one plain line, and nothing is written."""

import keyword
import re
import subprocess
import sys
import tomllib

import jinja2
import pytest
import yaml
from support.template import ROOT, TAG, copy

QUESTIONS = {
    name: question
    for name, question in yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8")).items()
    if not name.startswith("_")
}
RESERVED_NAMES = {"mlops", "test", "tests", "polars", "sklearn", "mlflow", "dvc", "pandera"}


def answers_of(project):
    return yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))


def refusal(template, folder, **answers):
    """The message with which a copy is refused, having written nothing."""
    with pytest.raises(ValueError) as caught:
        copy(template, folder, **answers)
    assert not folder.exists()
    return str(caught.value)


def test_questions_come_in_the_order_of_a_form():
    assert list(QUESTIONS) == [
        "project_name",
        "project_slug",
        "package_name",
        "description",
        "owner_name",
        "owner_email",
        "license",
        "python_version",
        "task",
        "framework",
        "governance",
        "clouds",
        "primary_cloud",
        "aws_region",
        "aws_recovery_region",
        "azure_location",
        "azure_recovery_location",
        "gcp_region",
        "gcp_recovery_region",
        "kubeflow",
        "monthly_budget",
    ]


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_has_a_line_of_help_and_a_default(name):
    question = QUESTIONS[name]
    assert question["default"] or question.get("multiselect") or question["type"] == "bool"
    assert 0 < len(question["help"]) <= 80
    assert "\n" not in question["help"]
    assert "choices" in question or "validator" in question or question["type"] == "bool"


def test_defaults(render):
    answers = answers_of(render())
    assert {name: answers[name] for name in QUESTIONS if name in answers and name != "description"} == {
        "project_name": "Flight delays",
        "project_slug": "flight-delays",
        "package_name": "flight_delays",
        "owner_name": "ML team",
        "owner_email": "ml-team@example.com",
        "license": "Apache-2.0",
        "python_version": "3.11",
        "task": "classification",
        "framework": "scikit-learn",
        "governance": "standard",
        "clouds": [],
        "kubeflow": False,
    }


def test_a_cloud_brings_questions_of_its_own(render):
    cloud = {"aws_region": "us-east-1", "aws_recovery_region": "us-west-2", "monthly_budget": 500}
    answers = answers_of(render(clouds=["aws"]))
    assert cloud.items() <= answers.items()
    elsewhere = answers_of(render(clouds=["aws"], aws_region="eu-central-1"))
    assert (elsewhere["aws_region"], elsewhere["aws_recovery_region"]) == ("eu-central-1", "us-east-1")
    cloud = {"azure_location": "eastus", "azure_recovery_location": "westus2", "monthly_budget": 500}
    assert cloud.items() <= answers_of(render(clouds=["azure"])).items()
    cloud = {"gcp_region": "us-central1", "gcp_recovery_region": "us-east1", "monthly_budget": 500}
    assert cloud.items() <= answers_of(render(clouds=["gcp"])).items()


@pytest.mark.parametrize(
    ("region", "recovery"),
    [
        ("us-east1", "us-central1"),
        ("europe-west4", "europe-west1"),
        ("europe-north1", "europe-west1"),
        ("asia-northeast1", "asia-southeast1"),
        ("australia-southeast1", "australia-southeast2"),
    ],
)
def test_a_region_of_google_cloud_is_recovered_on_its_continent(render, region, recovery):
    assert answers_of(render(clouds=["gcp"], gcp_region=region))["gcp_recovery_region"] == recovery


def test_the_first_of_several_clouds_is_the_primary_one(render):
    assert "primary_cloud" not in answers_of(render(clouds=["azure"]))
    assert answers_of(render(clouds=["azure", "gcp"]))["primary_cloud"] == "azure"
    assert answers_of(render(clouds=["azure", "gcp"], primary_cloud="gcp"))["primary_cloud"] == "gcp"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"aws_region": "Frankfurt"}, '"Frankfurt" is no region of AWS: write one such as eu-central-1.'),
        ({"aws_region": 'us-east-1"; rm -rf'}, "is no region of AWS"),
        ({"aws_recovery_region": "us-east-1"}, "The recovery region is the region itself: choose another."),
        (
            {"azure_location": "West Europe"},
            '"West Europe" is no location of Azure: write its short name, such as westeurope.',
        ),
        ({"azure_recovery_location": "eastus"}, "The recovery location is the location itself: choose another."),
        ({"gcp_region": "Iowa"}, '"Iowa" is no region of Google Cloud: write one such as europe-west4.'),
        ({"gcp_recovery_region": "us-central1"}, "The recovery region is the region itself: choose another."),
        ({"gcp_recovery_region": "europe-west1"}, "no bucket keeps data on both: choose one nearer."),
        ({"primary_cloud": "ibm"}, "ibm"),
        ({"monthly_budget": 0}, "0 is no budget: give a whole number of dollars, 1 or more."),
        ({"monthly_budget": "many"}, "many"),
        ({"clouds": ["ibm"]}, "ibm"),
    ],
)
def test_wrong_answers_about_a_cloud_are_refused(template, tmp_path, wrong, told):
    assert told in refusal(template, tmp_path / "project", **{"clouds": ["aws", "azure", "gcp"], **wrong})


@pytest.mark.parametrize(
    ("project_name", "slug", "package"),
    [
        ("Churn", "churn", "churn"),
        ("  Größe & Preis ", None, None),
        ("Größe & Preis", "gr-e-preis", "gr_e_preis"),
        ("2024 forecast", "ml-2024-forecast", "ml_2024_forecast"),
        ("航班延误", "ml-project", "ml_project"),
        ("🚀", "ml-project", "ml_project"),
        ("x", "x-project", "x_project"),
        ("Test", "test", "test_project"),
        ("JSON", "json", "json_project"),
        ("Lambda", "lambda", "lambda_project"),
        ("MLflow", "mlflow-project", "mlflow_project"),
        ("scikit learn", "scikit-learn-project", "scikit_learn_project"),
        ("MLOps", "mlops-project", "mlops_project"),
        ("Google ads", "ml-project", "ml_project"),
        ("--- a --- b ---", "a-b", "a_b"),
        (
            "word " * 15 + "end",
            "word-word-word-word-word-word-wo",
            "word_word_word_word_word_word_wo",
        ),
        ("a" * 31 + " b", "a" * 31, "a" * 31),
    ],
)
def test_short_names_made_of_any_name_are_valid(render, project_name, slug, package):
    if slug is None:
        with pytest.raises(ValueError, match="begins or ends with a space"):
            render(project_name=project_name)
        return
    answers = answers_of(render(project_name=project_name))
    assert (answers["project_slug"], answers["package_name"]) == (slug, package)


@pytest.mark.parametrize(
    "slug",
    ["abc", "a1b", "flight-delays", "a-1", "x2-y3-z4", "a" * 40, "json", "test"],
)
def test_slugs_that_are_fine(render, slug):
    assert answers_of(render(project_slug=slug))["project_slug"] == slug


@pytest.mark.parametrize(
    ("slug", "why"),
    [
        *[
            (slug, "3 to 40 lowercase letters, digits and single hyphens")
            for slug in (
                "",
                "ab",
                "a" * 41,
                "Flight-delays",
                "flight_delays",
                "flight delays",
                "flight.delays",
                "flight--delays",
                "-flight",
                "flight-",
                "1flight",
                "flüge",
                "flight\n",
                "flight\ndelays",
                "٣abc",
                "a٣c",
                "{{ 1 }}",
                "../up",
                "$(id)",
                "xn--flige",
                "\ud800",
            )
        ],
        *[(slug, "a package that the project installs") for slug in ("mlflow", "scikit-learn", "dvc-s3", "mlops")],
        *[(slug, "cannot name a bucket") for slug in ("sthree-x", "amzn-s3-demo-x", "goog-x", "my-google-ads")],
    ],
)
def test_slugs_that_a_bucket_an_image_or_a_host_cannot_bear(template, tmp_path, slug, why):
    message = refusal(template, tmp_path / "project", project_slug=slug)
    assert why in message
    assert_names_value(message, slug)


@pytest.mark.parametrize("package", ["a", "a1", "flight_delays", "a_1", "jsons", "a" * 40, "xgb"])
def test_packages_that_are_fine(render, package):
    project = render(package_name=package)
    assert answers_of(project)["package_name"] == package


@pytest.mark.parametrize(
    "package",
    [
        "",
        "Flight",
        "flight-delays",
        "flight delays",
        "1st",
        "_private",
        "flight_",
        "flight__delays",
        "a" * 41,
        "flüge",
        "flight\n",
        "a.b",
        "../up",
        "{{ 1 }}",
        "\ud800",
    ],
)
def test_packages_that_are_no_identifier(template, tmp_path, package):
    message = refusal(template, tmp_path / "project", package_name=package)
    assert "lowercase letters, digits and single underscores" in message
    assert_names_value(message, package)


@pytest.mark.parametrize("package", ["json", "match", "lambda", "tomllib", "src", "aux", *sorted(RESERVED_NAMES)])
def test_packages_whose_name_is_taken(template, tmp_path, package):
    message = refusal(template, tmp_path / "project", package_name=package)
    assert f'"{package}" is taken' in message
    assert f'"{package}_project"' in message


def reserved(name):
    text = (ROOT / "hooks" / "reserved" / name).read_text(encoding="utf-8")
    return set(jinja2.Template(text).render().split())


def test_reserved_names_cover_this_python():
    ours = sys.stdlib_module_names | {*keyword.kwlist, *keyword.softkwlist}
    possible = {name for name in ours if re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)}
    assert possible - reserved("python.jinja") == set()


@pytest.mark.parametrize("framework", QUESTIONS["framework"]["choices"].values())
def test_reserved_names_cover_what_a_project_installs(render, framework):
    settings = tomllib.loads((render(framework=framework) / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = settings["project"]["dependencies"] + settings["dependency-groups"]["dev"]
    names = {re.match(r"[\w.-]+", entry)[0].lower().replace("-", "_") for entry in wanted}
    assert names - reserved("packages.jinja") == set()


@pytest.mark.parametrize("address", ["a@b.co", "first.last+tag@sub-1.example.com", "o'brien@example.org"])
def test_addresses_that_are_fine(render, address):
    assert answers_of(render(owner_email=address))["owner_email"] == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "me",
        "me@",
        "@example.com",
        "me@example",
        "me@example..com",
        "me@-example.com",
        "a..b@example.com",
        ".a@example.com",
        "a b@example.com",
        "me@example.com\n",
        "<me@example.com>",
        'me"@example.com',
        "me@example.com; rm -rf /",
        "mé@example.com",
        "{{ owner_name }}@example.com",
    ],
)
def test_addresses_that_are_none(template, tmp_path, address):
    message = refusal(template, tmp_path / "project", owner_email=address)
    assert "is no e-mail address" in message
    assert_names_value(message, address)


@pytest.mark.parametrize("question", ["project_name", "owner_name"])
@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "empty"),
        ("   ", "empty"),
        (" padded", "begins or ends with a space"),
        ("two\nlines", "more than one line"),
        ("two\u2028lines", "more than one line"),
        ("tab\there", "more than one line"),
        ("nul\0", "control character"),
        ("del\x7f", "control character"),
        ("escape\x1b[31m", "control character"),
        ("half\ud83d", "control character"),
        ("x" * 81, "81 characters"),
    ],
)
def test_names_are_one_plain_line(template, tmp_path, question, value, why):
    message = refusal(template, tmp_path / "project", **{question: value})
    assert why in message


def test_owner_needs_a_letter_for_git_to_take_the_name(template, tmp_path):
    assert "names nobody" in refusal(template, tmp_path / "project", owner_name="... ;")


@pytest.mark.parametrize("value", ["nul\0", "bell\a", "del\x7f", "c1\x9b", "half\udc00", "\uffff"])
def test_description_refuses_only_control_characters(template, tmp_path, value):
    assert "control character" in refusal(template, tmp_path / "project", description=value)


@pytest.mark.parametrize("question", ["license", "python_version", "task", "framework", "governance"])
def test_choices_are_closed(template, tmp_path, question):
    message = refusal(template, tmp_path / "project", **{question: "other"})
    assert "'other' is not in" in message


def test_command_line_refuses_with_one_line_at_the_end_and_writes_nothing(template, tmp_path):
    command = [sys.executable, "-m", "copier", "copy", "--defaults", "--vcs-ref", TAG]
    command += ["--data", "project_slug=Flight Delays", str(template), str(tmp_path / "project")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert '"Flight Delays" is no short name: use 3 to 40' in done.stderr.splitlines()[-1]
    assert not (tmp_path / "project").exists()


def assert_names_value(message, value):
    """The message is one line, printable anywhere, that shows the value."""
    assert "\n" not in message
    message.encode()
    shown = re.search(r'"(?:[^"\\]|\\.)*"', message)
    assert shown, message
    if value.isascii() and len(value) < 60:
        assert yaml.safe_load(shown[0]) == value
