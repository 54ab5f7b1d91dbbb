"""Requests around what an OpenAPI document allows, and whether a reply is one that it announces."""

import jsonschema
from hypothesis import strategies as st

JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=10), inner, max_size=3)),
    max_leaves=8,
)
# There is no month 13, but this does not know it.
MOMENT = r"[0-2]\d{3}-[01]\d-[0-3]\d(T[0-2]\d:[0-5]\d(:[0-5]\d)?)?Z?"
LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def around(schema):
    """Values that the schema of a field allows, and those just outside its limits, its length or its pattern."""
    kinds = [around(each) for each in schema.get("anyOf", [])]
    limits = [schema[name] for name in LIMITS if name in schema]
    if schema.get("type") == "null":
        kinds.append(st.none())
    elif schema.get("type") in ("integer", "number"):
        edges = [limit + step for limit in limits for step in (-1, 0, 1)]
        kinds += [st.sampled_from(edges)] if edges else []
        kinds += [st.integers(), st.floats(allow_nan=False, width=64)]
    elif schema.get("type") == "string":
        most = schema.get("maxLength", 20) + 1
        kinds += [st.from_regex(schema["pattern"])] if "pattern" in schema else []
        kinds += [st.from_regex(MOMENT, fullmatch=True)] if "date" in schema.get("format", "") else []
        kinds.append(st.text(max_size=most))
    elif schema.get("type") == "boolean":
        kinds.append(st.booleans())
    return st.one_of(*kinds) if kinds else JUNK


def broken(row, good):
    """Rows like a good one, save some fields around what the schema has or of any type, and one left out."""
    fields = row["properties"]
    field = st.one_of(*(st.tuples(st.just(name), st.one_of(around(each), JUNK)) for name, each in fields.items()))
    missing = st.sampled_from([None, *fields])
    return st.builds(
        lambda changes, missing: {name: each for name, each in {**good, **dict(changes)}.items() if name != missing},
        st.lists(field, min_size=1, max_size=3),
        missing,
    )


def bodies(document, good):
    """Bodies in every form that the document has for rows, with one or two of those rows."""
    rows = st.lists(broken(document["components"]["schemas"]["Row"], good), min_size=1, max_size=2)
    forms = document["components"]["schemas"]["Request"]["properties"]

    def written(form, rows):
        columns = sorted({name for row in rows for name in row})
        if form == "dataframe_split":
            return {form: {"columns": columns, "data": [[row.get(name) for name in columns] for row in rows]}}
        return {form: rows}

    listed = st.builds(written, st.sampled_from(sorted(forms)), rows)
    by_column = rows.map(lambda rows: {"inputs": {name: [row.get(name) for row in rows] for name in rows[0]}})
    return st.one_of(listed, by_column)


class Announced:
    """The replies that a document announces for a path and a method."""

    def __init__(self, document, path, method):
        self.responses = document["paths"][path][method]["responses"]
        shared = {"components": document["components"]}
        self.checks = {
            status: jsonschema.Draft202012Validator({**reply["content"]["application/json"]["schema"], **shared})
            for status, reply in self.responses.items()
        }

    def check(self, reply):
        """Asserts that the document has a reply's status, its type and the form of its content."""
        status = str(reply.status)
        assert status in self.responses, reply
        kind = reply.headers["content-type"].partition(";")[0]
        assert kind in self.responses[status]["content"], reply
        if kind == "application/json":
            self.checks[status].validate(reply.json)
