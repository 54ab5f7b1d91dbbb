# The template's: `copier update` renews this file.
"""The ways in which a request writes its rows come to the same rows, and what is none is told."""

from typing import Any

import pytest

from mlops.serving.formats import MalformedError, rows_of

ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": ROWS},
        {"inputs": {"a": [1, 2], "b": ["x", None]}},
        {"inputs": ROWS, "params": {"anything": 1}},
        {"dataframe_records": ROWS},
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"], [2, None]], "index": [0, 1]}},
        {"instances": ROWS, "parameters": {"anything": 1}},
    ],
)
def test_all_forms_give_the_same_rows(body: Any) -> None:
    assert rows_of(body) == ROWS


def test_one_row_may_come_without_a_list() -> None:
    assert rows_of({"inputs": ROWS[0]}) == ROWS[:1]
    assert rows_of({"inputs": []}) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "must be an object"),
        (3, "must be an object"),
        ({}, "none of them"),
        ({"inputs": ROWS, "instances": ROWS}, "inputs and instances"),
        ({"instances": {"a": [1]}}, "'instances' must be a list"),
        ({"inputs": {"a": [1, 2], "b": [1]}}, "same length"),
        ({"inputs": {"a": [1, 2], "b": 1}}, "same length"),
        ({"dataframe_split": {"columns": ["a"]}}, "'columns' and 'data'"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": []}}, "each once"),
        ({"dataframe_split": {"columns": ["a", 1], "data": []}}, "each once"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1], [1, 2]]}}, "row 1"),
        ({"dataframe_split": 3}, "'columns' and 'data'"),
    ],
)
def test_what_is_no_form_is_told(body: Any, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        rows_of(body)
