# The template's: `copier update` renews this file.
"""`params.yaml`: defaults for what is left out, and one line for what is wrong."""

from pathlib import Path

import pytest

from mlops.errors import UsageError
from mlops.params import Params, load_params


def read(text: str) -> Params:
    Path("params.yaml").write_text(text, encoding="utf-8")
    return load_params()


def test_what_is_left_out_has_its_default() -> None:
    assert read("task: regression") == Params(task="regression")
    assert Params(task="regression").metric == "mae"
    assert Params(task="classification").metric == "roc_auc"


def test_the_hash_is_that_of_all_values_whether_written_or_not() -> None:
    assert read("task: regression\nseed: 42").hash == read("task: regression").hash
    assert read("task: regression\nseed: 43").hash != read("task: regression").hash


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: 1", "params.yaml: task: field required"),
        ("task: clustering", "task is 'clustering': input should be 'classification' or 'regression'"),
        ("task: regression\ngate: {minimun: 1}", "unknown key 'gate.minimun'; take it out or mend its spelling"),
        ("task: regression\nsplit: {test: 1.5}", "split.test is 1.5: input should be less than 1"),
        ("task: regression\nseed: one", "seed is 'one': input should be a valid integer"),
        ("task: regression\nsplit: 3", "split is 3"),
        ("[1, 2]", "params.yaml holds no keys"),
        ("task: [", "params.yaml cannot be read"),
        ("task: regression\ndata: {source: 'http://me:hunter2@host/a.csv'}", "carries a password"),
        ("task: regression\ndata: {source: 'http://host/a.csv?sig=hunter2'}", "carries a password"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_key_and_the_value(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
