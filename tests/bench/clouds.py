"""How long the verbs of a cloud take beyond their start, and how much they need installed."""

import json
import statistics
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import yaml
from harness import Bench, Project, Row, UnmeasuredError, measurement, shown
from support import google, google_storage
from support.aws import ACCOUNT, REGION, cloud
from support.google_images import Images
from support.vertex_runs import Runs, Schedules
from uv import find_uv_bin

REPOSITORY = "flight-delays/pipeline"
SETTINGS = {
    "AWS_REGION": REGION,
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_TRACKING_URI": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:mlflow-tracking-server/mlops",
    "MLOPS_AWS_BUCKET": f"flight-delays-dev-{ACCOUNT}",
    "MLOPS_AWS_PIPELINE_REPOSITORY": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{REPOSITORY}",
    "MLOPS_AWS_PIPELINE_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/mlops/flight-delays-dev-pipeline",
}
IMAGES = f"{google.REGION}-docker.pkg.dev/{google.PROJECT}/mlops"
OF_GOOGLE = {
    "MLOPS_ENVIRONMENT": "dev",
    "MLOPS_TRACKING_URI": "https://mlflow-1a2b-uc.a.run.app",
    "MLOPS_GCP_PROJECT": google.PROJECT,
    "MLOPS_GCP_BUCKET": google.BUCKET,
    "MLOPS_GCP_PIPELINE_REPOSITORY": f"{IMAGES}/pipeline",
    "MLOPS_GCP_JOB_SERVICE_ACCOUNT": google.ACCOUNT,
}


@measurement
def compiling(bench: Bench) -> Iterator[Row]:
    """`mlops compile` beyond its start, and how it grows with the stages."""
    yield from compiling_on(bench, "aws", SETTINGS)


@measurement
def compiling_for_google(bench: Bench) -> Iterator[Row]:
    """The same for Vertex AI."""
    yield from compiling_on(bench, "gcp", OF_GOOGLE)


def compiling_on(bench: Bench, on: str, settings: Mapping[str, str]) -> Iterator[Row]:
    project = clouded(bench, on)

    def compiled() -> float:
        return bench.run_in(project, "mlops", "compile", "--on", on, **settings).seconds

    yield beyond_start(bench, project, f"`mlops compile --on {on}`", compiled, 0.5)
    plain = (project.path / "dvc.yaml").read_text("utf-8")
    taken: dict[int, list[float]] = {50: [], 200: []}
    start = [bench.run_in(project, "mlops", "--help").seconds for _ in range(5)]
    try:
        (project.path / "resources.yaml").rename(project.path / "resources.aside")
        for stages in list(taken) * (bench.repeats or 5):
            (project.path / "dvc.yaml").write_text(chain(stages), "utf-8")
            taken[stages].append(compiled() - statistics.median(start))
            bench.say(f"{stages} stages: {shown(taken[stages][-1], 's')}")
    finally:
        (project.path / "dvc.yaml").write_text(plain, "utf-8")
        (project.path / "resources.aside").rename(project.path / "resources.yaml")
    many, few = (statistics.median(taken[stages]) for stages in (200, 50))
    yield Row(f"`mlops compile --on {on}`, 200 stages", "50 stages", many / few, shown(many, "s"), shown(few, "s"), 4)


def chain(stages: int) -> str:
    """A pipeline in which each stage reads what the one before it wrote."""
    found = {
        f"s{number}": {
            "cmd": f"make {number}",
            "outs": [f"work/{number}.txt"],
            **({"deps": [f"work/{number - 1}.txt"]} if number else {}),
        }
        for number in range(stages)
    }
    return yaml.safe_dump({"stages": found}, sort_keys=False)


@measurement
def submitting(bench: Bench) -> Iterator[Row]:
    """`mlops submit` beyond its start, against moto's server."""
    project = clouded(bench, "aws")
    with cloud(bench.folder / "moto.log") as aws:
        tag = bench.run_in(project, "mlops", "image", "pipeline").out.strip()
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"}
        ecr = aws.client("ecr")
        ecr.create_repository(repositoryName=REPOSITORY)
        ecr.put_image(repositoryName=REPOSITORY, imageManifest=json.dumps(manifest), imageTag=tag)
        env: Mapping[str, str] = {**SETTINGS, **aws.env}

        def submitted() -> float:
            return bench.run_in(project, "mlops", "submit", "--on", "aws", "--detach", **env).seconds

        yield beyond_start(bench, project, "`mlops submit --on aws`, to moto", submitted, 3)


@measurement
def submitting_to_google(bench: Bench) -> Iterator[Row]:
    """`mlops submit` beyond its start and the import of Google's clients, against a fake of Google's hosts."""
    project = clouded(bench, "gcp")
    folder = bench.folder / "google"
    folder.mkdir(exist_ok=True)
    python = project.environment / "bin/python"
    imported = [bench.run_in(project, "python", "-c", "import google.cloud.aiplatform_v1").seconds for _ in range(5)]
    with google.cloud(folder, python) as fake, google_storage.storage(folder) as storage:
        storage.reset()
        Runs(fake)
        Schedules(fake)
        tag = bench.run_in(project, "mlops", "image", "pipeline").out.strip()
        Images(fake).push(OF_GOOGLE["MLOPS_GCP_PIPELINE_REPOSITORY"], tag)
        told = {**OF_GOOGLE, **fake.env, **storage.env}
        env: Mapping[str, str] = {name: value for name, value in told.items() if value is not None}

        def submitted() -> float:
            seconds = bench.run_in(project, "mlops", "submit", "--on", "gcp", "--detach", **env).seconds
            return seconds - statistics.median(imported)

        yield beyond_start(
            bench, project, "`mlops submit --on gcp`, to a fake, the import of its clients", submitted, 3
        )


@measurement
def extras(bench: Bench) -> Iterator[Row]:
    """What the extra of a cloud adds to the environment."""
    base, more = (size(project.environment) for project in (bench.project, clouded(bench, "aws")))
    allowed = 250 * 10**6
    added = more - base
    yield Row("the extra `aws`", "of 250 MB", added / allowed, shown(added, "bytes"), shown(allowed, "bytes"), 1)


def beyond_start(bench: Bench, project: Project, what: str, ours: Callable[[], float], seconds: float) -> Row:
    """What a verb takes longer than `mlops --help`, beside what it may."""
    comparison = bench.compare(ours, lambda: bench.run_in(project, "mlops", "--help").seconds, repeats=9)
    beyond = statistics.median(comparison.ours) - statistics.median(comparison.theirs)
    return Row(f"{what} beyond its start", "what it may", beyond / seconds, shown(beyond, "s"), shown(seconds, "s"), 1)


def clouded(bench: Bench, on: str) -> Project:
    """A project with a cloud, its extra installed; made once."""
    path = bench.folder / f"clouded-{on}"
    if not path.exists():
        bench.say(f"render and install a project with {on}")
        answers = ["--defaults", "--data", f"clouds=[{on}]", "--vcs-ref", "HEAD"]
        bench.run("copier", "copy", "--quiet", *answers, bench.template, path, cwd=bench.folder)
        bench.run(find_uv_bin(), "sync", "--quiet", "--extra", on, cwd=path)
        bench.run_in(Project(path, path / ".venv"), "mlops", "init")
        bench.run(find_uv_bin(), "sync", "--quiet", "--extra", on, cwd=path)
    return Project(path, path / ".venv")


def size(environment: Path) -> int:
    """The bytes of what is installed, bytecode aside, which comes with use."""
    files = [file for file in environment.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    if not files:
        raise UnmeasuredError(f"nothing is installed in {environment}")
    return sum(file.stat().st_size for file in files)
