# The template's: `copier update` renews this file.
"""The ways in which a request writes its rows: MLflow's, Vertex AI's, and CSV."""

from typing import Any

ROWS = ("inputs", "instances", "dataframe_records", "dataframe_split")


class MalformedError(Exception):
    """A body of no known form; the message says what is wrong with it."""


def rows_of(body: Any) -> list[Any]:
    """The rows of a JSON body, each as it is written there; the contract judges them.

    Raises:
        MalformedError: it has none of the known keys, or something else behind it.
    """
    if not isinstance(body, dict):
        raise MalformedError(f"the body must be an object with one of {', '.join(ROWS)}")
    found = [key for key in ROWS if key in body]
    if len(found) != 1:
        which = f"it has {' and '.join(found)}" if found else "it has none of them"
        raise MalformedError(f"the body must have one of {', '.join(ROWS)}; {which}")
    key = found[0]
    content = body[key]
    if key == "dataframe_split":
        return _split(content)
    if isinstance(content, list):
        return content
    if key == "inputs" and isinstance(content, dict):
        return _columns(content)
    raise MalformedError(f"'{key}' must be a list of rows")


def _split(content: Any) -> list[Any]:
    columns = content.get("columns") if isinstance(content, dict) else None
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(columns, list) or not isinstance(data, list):
        raise MalformedError("'dataframe_split' must have the lists 'columns' and 'data'")
    if not all(isinstance(name, str) for name in columns) or len(set(columns)) != len(columns):
        raise MalformedError("'columns' of 'dataframe_split' must be names, each once")
    for number, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            raise MalformedError(f"row {number} of 'dataframe_split' must be a list of {len(columns)} values")
    return [dict(zip(columns, row, strict=True)) for row in data]


def _columns(content: dict[str, Any]) -> list[Any]:
    """Rows of a column's list each; an object without any list is one row."""
    lists = [name for name, values in content.items() if isinstance(values, list)]
    if not lists:
        return [content]
    if len(lists) != len(content) or len({len(values) for values in content.values()}) != 1:
        raise MalformedError("the columns of 'inputs' must be lists of the same length")
    return [dict(zip(content, values, strict=True)) for values in zip(*content.values(), strict=True)]
