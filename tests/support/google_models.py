"""Requests to Vertex AI against Google's own protocol buffers, asked of a process that has them.

A request is matched with the method of the API that its verb and path stand for, and read into that method's message: a
field that there is none of, a value of another type or an enum's that is none, and a field that is required and
missing. What the fake answers is held to the same messages, for the clients let unknown fields pass.
"""

import json
import subprocess
import threading

# Runs in the environment that all projects share.
PROGRAM = r"""
import importlib, inspect, json, pkgutil, re, sys
from google.cloud.aiplatform_v1 import services, types
from google.protobuf import json_format

SEGMENT = {"*": "[^/]+", "**": ".+"}


def pattern(uri):
    def one(found):
        name, _, template = found[1].partition("=")
        parts = [SEGMENT.get(part, re.escape(part)) for part in (template or "*").split("/")]
        return f"(?P<{name.replace('.', '__')}>{'/'.join(parts)})"

    pieces = re.split(r"(\{[^}]+\})", uri)
    made = [one(re.match(r"\{(.+)\}", each)) if each[:1] == "{" else re.escape(each) for each in pieces]
    return re.compile("".join(made))


def base_name(module):
    (name,) = (each for each in vars(module) if each.endswith("RestTransport"))
    return re.fullmatch("_Base(.+)RestTransport", name)[1]


METHODS = []
for _, service, _ in pkgutil.iter_modules(services.__path__):
    base = importlib.import_module(f"{services.__name__}.{service}.transports.rest_base")
    module = importlib.import_module(f"{services.__name__}.{service}.client")
    client = next(each for name, each in vars(module).items() if name == f"{base_name(base)}Client")
    for name, each in vars(getattr(base, f"_Base{base_name(base)}RestTransport")).items():
        rpc = name.removeprefix("_Base")
        if hasattr(each, "_get_http_options") and hasattr(types, f"{rpc}Request"):
            gives = getattr(client, re.sub(r"(?<!^)(?=[A-Z])", "_", rpc).lower()).__annotations__.get("return")
            given = getattr(gives, "__name__", "")
            answer = f"{rpc}Response" if given.endswith("Pager") else given if hasattr(types, given) else None
            for option in each._get_http_options():
                way = (option["method"], pattern(option["uri"]), option.get("body"))
                METHODS.append((f"{base_name(base)}.{rpc}", *way, answer))


def put(message, path, value):
    *way, last = path.split(".")
    for key in way:
        message = message.setdefault(key, {})
    held = message.get(last)
    message[last] = value if held is None else [*(held if isinstance(held, list) else [held]), value]


def required(kind):
    doc = inspect.getdoc(kind) or ""
    return re.findall(r"^    (\w+) \(.*\):\n\s+Required\.", doc, re.MULTILINE)


def missing(kind, content, where):
    fields = {each.name.rstrip("_"): each for each in kind.meta.fields.values()}
    for name in required(kind):
        if content.get(name.rstrip("_")) in (None, "", [], {}):
            yield f"{where}.{name} is missing"
    for name, value in content.items():
        message = getattr(fields.get(name), "message", None)
        values = value if isinstance(value, list) else [value]
        if message is not None and message.__name__.endswith("Entry"):
            message, values = message.meta.fields["value"].message, list(value.values())
        if hasattr(message, "meta"):
            for each in values:
                yield from missing(message, each, f"{where}.{name}")


def read(name, content):
    kind = getattr(types, name)
    message = kind.pb()()
    try:
        json_format.ParseDict(content, message, ignore_unknown_fields=False)
    except json_format.ParseError as error:
        return None, [f"{name}: {error}"]
    plain = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return json_format.MessageToDict(message), list(missing(kind, plain, name))


def request(verb, path, query, body):
    for rpc, method, pattern, field, answer in METHODS:
        if method == verb.lower() and (match := pattern.fullmatch(path)):
            break
    else:
        return None
    content = {}
    if field == "*":
        content = dict(body or {})
    elif field:
        content[field] = body or {}
    elif body:
        return {"rpc": rpc, "faults": [f"{rpc} takes no body"]}
    for key, value in query:
        if not key.startswith("$"):
            put(content, key, value)
    if isinstance(content.get("updateMask"), list):
        content["updateMask"] = ",".join(content["updateMask"])
    for key, value in match.groupdict().items():
        *way, last = key.split("__")
        held = content
        for name in way:
            held = held.setdefault(name, {})
        held[last] = value
    name = rpc.partition(".")[2]
    whole, faults = read(f"{name}Request", content)
    if whole and whole.get("updateMask"):
        faults = []  # only what is named is read
    return {"rpc": rpc, "request": whole, "faults": faults, "answer": answer}


print("ready", flush=True)
for line in sys.stdin:
    what, *arguments = json.loads(line)
    print(json.dumps(request(*arguments) if what == "request" else read(*arguments)[1]), flush=True)
"""


class Models:
    """What a request asks of Vertex AI, and what is wrong with it."""

    def __init__(self, python, cwd):
        self._command, self._cwd = [str(python), "-c", PROGRAM], cwd
        self._process, self._turn = None, threading.Lock()

    def request(self, method, path, query, body):
        """Its `rpc`, such as `PipelineService.CreatePipelineJob`, its `request`, its `faults` and its `answer`.

        None where the API has no such method.
        """
        return self._ask("request", method, path, query, body)

    def faults(self, message, content):
        """What is wrong with a message, by its name."""
        return self._ask("read", message, content)

    def _ask(self, *what):
        with self._turn:
            if self._process is None:
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=self._cwd
                )
                assert self._process.stdout.readline() == "ready\n"
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def close(self):
        if self._process is not None:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
