"""dvc.yaml read without DVC: its stages and edges are DVC's own, on all platforms the same.

What only DVC can do is refused by name.
"""

import json

import pytest
import yaml
from clouds.aws import pipelines as aws_pipelines
from clouds.azure import pipelines as azure_pipelines
from clouds.gcp import pipelines as gcp_pipelines
from clouds.kubeflow import pipelines as kubeflow_pipelines
from project.conftest import made, rendered, small  # noqa: F401 - made the same way
from support import azure_pipeline, kfp_pipeline, sagemaker, vertex_pipeline

DVC = """
import json
from dvc.repo import Repo
with Repo() as repo:
    edges = {(needed.addressing, stage.addressing) for stage, needed in repo.index.graph.edges}
    print(json.dumps([[stage.addressing for stage in repo.index.stages], sorted(edges)]))
"""
OURS = """
import json
from mlops.platforms.dag import read_dag
dag = read_dag()
print(json.dumps([list(dag.stages), sorted({(edge.source, edge.target) for edge in dag.edges}), dag.order]))
"""


def stage(cmd="true", **more):
    return {"cmd": cmd, **more}


DIAMOND = {
    "top": stage(outs=["work/top"]),
    "left": stage(deps=["work/top"], outs=["work/left.txt"]),
    "right": stage(["true", "true"], deps=["work/top/part.csv"], outs=[{"work/right.txt": {"cache": False}}]),
    "bottom": stage(deps=["work/left.txt", "work/right.txt"], metrics=["work/m.json"], plots=["work/plot.csv"]),
    "last": stage(deps=["work/m.json", "work/plot.csv"], outs=["work/last.txt"]),
}
CASES = {
    "diamond, lists, metrics and plots": {"stages": DIAMOND},
    "a folder around outputs": {
        "stages": {
            "a": stage(outs=["work/in/a.txt"]),
            "b": stage(outs=["work/in/deep/b.txt"]),
            "both": stage(deps=["work/in"], outs=["work/both.txt"]),
        }
    },
    "foreach, with vars": {
        "vars": [{"sizes": {"small": 1, "large": 2}}, {"folder": "work"}],
        "stages": {
            "split": stage(outs=["${folder}/split"]),
            "fit": {
                "foreach": "${sizes}",
                "do": stage("fit ${item}", deps=["${folder}/split"], outs=["${folder}/${key}.bin"]),
            },
            "best": stage(deps=["${folder}/small.bin", "${folder}/large.bin"], outs=["${folder}/best.bin"]),
        },
    },
    "matrix, with what params.yaml says": {
        "stages": {
            "fit": {
                "matrix": {"size": ["s", "l"], "seed": [1, 2]},
                "cmd": "fit ${item.size} ${item.seed} ${seed}",
                "params": ["seed"],
                "outs": ["work/${item.size}-${item.seed}"],
            },
            "best": stage(deps=["work/s-1", "work/l-2"], outs=["work/best"]),
        }
    },
    "parameters that a stage writes": {
        "stages": {
            "tune": stage(outs=["work/found.yaml"]),
            "fit": stage(params=["seed", {"work/found.yaml": ["depth"]}], outs=["work/model"]),
        }
    },
    "folders to work in": {
        "stages": {
            "a": stage(wdir="src", outs=["../work/a"]),
            "b": stage(wdir="work", deps=["a"], outs=["b"]),
        }
    },
}


@pytest.fixture
def project(small):  # noqa: F811
    return small()


@pytest.fixture
def with_(project):
    """`with_(content)` gives a project with this dvc.yaml."""

    def with_(content):
        (project.path / "work").mkdir(exist_ok=True)
        (project.path / "dvc.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        (project.path / "resources.yaml").unlink(missing_ok=True)
        return project

    return with_


def test_stages_and_edges_are_those_of_dvc(project, with_):
    own = project.script(OURS)
    assert own[:2] == project.script(DVC)
    assert own[2] == ["ingest", "validate", "split", "train", "evaluate", "register"]
    for name, content in CASES.items():
        changed = with_(content)
        stages, edges, order = changed.script(OURS)
        found, wanted = changed.script(DVC)
        assert sorted(stages) == sorted(found), name
        assert edges == wanted, name
        assert all(order.index(source) < order.index(target) for source, target in edges), name


REFUSED = {
    "is frozen": stage(frozen=True),
    "(persist)": stage(outs=[{"work/out": {"persist": True}}]),
    "outside the project, 's3://bucket/x'": stage(deps=["s3://bucket/x"]),
    "outside the project, '../x'": stage(deps=["../x"]),
    "outside the project, '/tmp/x'": stage(outs=["/tmp/x"]),  # noqa: S108 - a path that is refused
    "its wdir outside": stage(wdir="../elsewhere"),
    "imported.csv.dvc": stage(deps=["work/imported.csv"]),
    "a cycle: fit needs fit": stage(deps=["work/x"], outs=["work/x"]),
    "'later', which only DVC": stage(later=True),
    "has no cmd": {"outs": ["work/x"]},
    "is 'true'; it needs": "true",
}


def test_what_only_dvc_can_do_is_refused_by_name(with_):
    project = with_({"stages": {"fit": stage()}})
    (project.path / "work/imported.csv.dvc").write_text("outs:\n- path: imported.csv\n", encoding="utf-8")
    for said, fit in REFUSED.items():
        with_({"stages": {"fit": fit}})
        told = project.refuses("compile", "--on", "local", code=2)
        assert said in told, said
        assert "fit" in told, said
    pair = {"one": stage(outs=["work/x"]), "two": stage(outs=["work/x"])}
    for content, said in (
        ({"stages": pair}, "'one' and 'two' both write 'work/x'"),
        ({"stages": {**pair, "two": stage(outs=["work/x/y"])}}, "'two' writes 'work/x/y' into 'work/x'"),
        (
            {"stages": {"a": stage(deps=["work/b"], outs=["work/a"]), "b": stage(deps=["work/a"], outs=["work/b"])}},
            "a cycle: a needs b needs a",
        ),
        ({"stages": {}}, "has no stages"),
        ({"vars": ["nowhere.yaml"], "stages": {"a": stage()}}, "nowhere.yaml"),
        ({"stages": {"a": stage("${nothing}")}}, "nothing"),
    ):
        with_(content)
        assert said in project.refuses("compile", "--on", "local", code=2), said
    (project.path / "dvc.yaml").write_text("stages: [", encoding="utf-8")
    assert "cannot be read" in project.refuses("compile", "--on", "local", code=2)


def test_always_changed_is_not_cached(project):
    project.mlops("compile", "--on", "local")
    steps = json.loads((project.path / "build/local/steps.json").read_text(encoding="utf-8"))
    assert {step["name"]: step["cacheable"] for step in steps} == {"prepare": True, "train": True, "judge": False}
    assert {step["name"]: step["reads_source"] for step in steps} == {"prepare": True, "train": False, "judge": False}


MORE = {
    "vars": [{"sizes": ["small", "large"]}],
    "stages": {
        "top": stage(outs=["work/top"]),
        "left": stage(deps=["work/top"], outs=["work/left.txt"]),
        "right": stage(deps=["work/top/part.csv"], outs=["work/right.txt"]),
        "fit": {
            "foreach": "${sizes}",
            "do": stage("fit ${item}", deps=["work/left.txt", "work/right.txt"], outs=["work/${item}.bin"]),
        },
    },
}
"""A diamond and foreach, to which a user adds a stage behind those of a new project."""
OWN = {"card": stage(deps=["reports/metrics.json", "work"], outs=["reports/card.md"], always_changed=True)}


def local(project, *arguments):
    project.mlops("compile", "--on", "local", *arguments)
    steps = json.loads((project.path / "build/local/steps.json").read_text(encoding="utf-8"))
    edges = {(port["step"], step["name"]) for step in steps for port in step["inputs"]}
    return {step["name"]: step["stages"] for step in steps}, edges


def aws(project, *arguments):
    definition = aws_pipelines.compiled(project, *arguments)
    return sagemaker.stages(definition), sagemaker.edges(definition)


def azure(project, *arguments):
    files = azure_pipelines.compiled(project, *arguments)
    return azure_pipeline.stages(files), azure_pipeline.edges(files)


def gcp(project, *arguments):
    spec = gcp_pipelines.compiled(project, *arguments)["pipeline.yaml"]
    return kfp_pipeline.stages(spec, vertex_pipeline.container_of), kfp_pipeline.edges(spec)


def kubeflow(project, *arguments):
    spec = kubeflow_pipelines.compiled(project, *arguments)[0]
    return kfp_pipeline.stages(spec), kfp_pipeline.edges(spec)


PLATFORMS = (local, aws, azure, gcp, kubeflow)


def grouped(project, step_of):
    """DVC's edges between steps, where stages of the same step have none."""
    names, edges = project.script(DVC)
    assert sorted(step_of) == sorted(names)
    return {(step_of[one], step_of[two]) for one, two in edges if step_of[one] != step_of[two]}


def test_it_is_the_same_on_all_platforms(piped):
    project = piped()
    own = yaml.safe_load((project.path / "dvc.yaml").read_text(encoding="utf-8"))
    resources = yaml.safe_load((project.path / "resources.yaml").read_text(encoding="utf-8"))

    def check(arguments, sizes):
        found = {platform.__name__: platform(project, *arguments) for platform in PLATFORMS}
        stages, edges = found["local"]
        assert {len(each) for each in stages.values()} == sizes
        assert edges == grouped(project, {stage: step for step, its in stages.items() for stage in its})
        for name, each in found.items():
            assert each == (stages, edges), name
        return len(stages)

    assert check((), {1, 2, 3}) == 3
    assert check(("--ungrouped",), {1}) == 6
    (project.path / "work").mkdir()
    content = {**own, "vars": MORE["vars"], "stages": {**own["stages"], **MORE["stages"], **OWN}}
    (project.path / "dvc.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    resources["stages"]["fit"] = {"group": "fits", "spot": True}
    (project.path / "resources.yaml").write_text(yaml.safe_dump(resources), encoding="utf-8")
    assert check((), {1, 2, 3}) == 8
    assert check(("--ungrouped",), {1}) == 12
