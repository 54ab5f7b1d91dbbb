"""A workflow of Google Cloud, run here: as much of its language as the one that starts a retraining is written in."""

import base64
import json
import re

WHOLE = re.compile(r"\$\{(.*)\}", re.DOTALL)


class RefusedError(Exception):
    """What a service answers that is an error."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


class Map(dict):
    """A map whose keys are reached by a dot."""

    __getattr__ = dict.__getitem__


class ReturnedError(Exception):
    """A step returned."""


class _Json:
    decode = staticmethod(lambda text: json.loads(text, object_hook=Map))


class _Base64:
    decode = staticmethod(base64.b64decode)


class _Text:
    to_lower = staticmethod(str.lower)
    replace_all_regex = staticmethod(lambda text, pattern, new: re.sub(pattern, new, text))


class Workflow:
    def __init__(self, source, call):
        """`call(method, url, query, body, auth)` answers by a text or by what JSON holds, or raises `RefusedError`."""
        self._main, self._call = source["main"], call
        kinds = {dict: "map", Map: "map", str: "string"}
        self._names = {
            "json": _Json,
            "base64": _Base64,
            "text": _Text,
            "http": Map(default_retry="retried"),
            "get_type": lambda value: kinds[type(value)],
        }

    def run(self, message):
        """What it returns of a message of Pub/Sub, as Eventarc brings it."""
        data = base64.b64encode(json.dumps(message).encode()).decode()
        (parameter,) = self._main["params"]
        self._names[parameter] = Map(data=Map(message=Map(data=data)))
        try:
            self._steps(self._main["steps"])
        except ReturnedError as stop:
            return stop.args[0]
        return None

    def _steps(self, steps):
        for named in steps:
            ((_, step),) = named.items()
            self._step(step)

    def _step(self, step):
        known = {"assign", "switch", "call", "args", "result", "try", "retry", "except", "return", "raise", "steps"}
        assert set(step) <= known, f"the stand-in does not know {set(step) - known}"
        for each in step.get("assign", ()):
            ((name, value),) = each.items()
            self._names[name] = self._value(value)
        for case in step.get("switch", ()):
            if self._value(case["condition"]):
                self._step({name: each for name, each in case.items() if name != "condition"})
                break
        if "call" in step:
            self._request(step)
        self._steps(step.get("steps", ()))
        if "try" in step:
            self._try(step)
        if "return" in step:
            raise ReturnedError(self._value(step["return"]))
        if "raise" in step:
            raise self._value(step["raise"])

    def _request(self, step):
        args = {name: self._value(value) for name, value in step["args"].items()}
        method = step["call"].removeprefix("http.")
        said = self._call(method, args["url"], args.get("query"), args.get("body"), args["auth"])
        body = said if isinstance(said, str) else _Json.decode(json.dumps(said))
        self._names[step["result"]] = Map(body=body)

    def _try(self, step):
        assert self._value(step["retry"]) == "retried"
        try:
            self._step(step["try"])
        except RefusedError as error:
            self._names[step["except"]["as"]] = error
            self._steps(step["except"]["steps"])

    def _value(self, value):
        if isinstance(value, dict):
            return {name: self._value(each) for name, each in value.items()}
        match = WHOLE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return value
        return eval(match[1], {"__builtins__": {}}, self._names)  # noqa: S307 - this repository's own
