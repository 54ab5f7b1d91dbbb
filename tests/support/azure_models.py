"""Bodies of requests against the REST models of Azure's own SDK, asked of a process that has the SDK.

The SDK checks little of what it sends. This looks at every field: one that no model has, one that is missing, a value
of another type, an enum's that is none, and of a union the kind that its discriminator names.
"""

import json
import subprocess
import threading

# Runs in the environment that all projects share. The parents of the models are left unrun: they take seconds.
PROGRAM = r"""
import datetime, enum, importlib, json, re, sys, types, typing
import azure

for name in ("azure.ai", "azure.ai.ml", "azure.ai.ml._restclient"):
    sys.modules[name] = module = types.ModuleType(name)
    module.__path__ = [f"{path}/{'/'.join(name.split('.')[1:])}" for path in azure.__path__]
models = importlib.import_module("azure.ai.ml._restclient.arm_ml_service.models")
from azure.ai.ml._restclient.arm_ml_service._utils.model_base import Model

PLAIN = {str: str, int: int, bool: bool, float: (int, float)}
SPACE = {**vars(models._models), "_models": models, **vars(typing), "datetime": datetime}


def fields(model):
    found = {}
    for each in reversed(model.__mro__):
        hints = each.__dict__.get("__annotations__", {})
        for name, field in each.__dict__.items():
            if type(field).__name__ == "_RestField":
                hint = hints[name]
                found[field._rest_name_input or name] = (field, eval(hint, SPACE) if isinstance(hint, str) else hint)
    return found


def narrowed(model, body):
    seen = set()
    while True:
        key = next(
            (key for key, (field, _) in fields(model).items() if field._is_discriminator and key not in seen), None
        )
        if key is None or not getattr(model, "__mapping__", None):
            return model, None
        seen.add(key)
        kind = body.get(key)
        if kind not in model.__mapping__:
            return model, f"{key} is {kind!r}" if "__mapping__" in vars(model) else None
        if model.__mapping__[kind] is model:
            return model, None
        model = model.__mapping__[kind]


def faults(model, body, where):
    if not isinstance(body, dict):
        yield f"{where}: {body!r} is no object"
        return
    model, wrong = narrowed(model, body)
    if wrong:
        yield f"{where}.{wrong}, of which there is no kind"
        return
    its = fields(model)
    for key in body:
        if key not in its:
            yield f"{where}.{key}: {model.__name__} has no such field"
    for key, (field, hint) in its.items():
        optional = type(None) in typing.get_args(hint)
        readonly = field._visibility == ["read"]
        if body.get(key) is None:
            if not optional and not readonly and not field._is_discriminator:
                yield f"{where}.{key} is missing"
            continue
        if readonly and key not in ("id", "name", "type", "systemData", "provisioningState", "status"):
            yield f"{where}.{key} cannot be set"
        yield from of_type(hint, body[key], f"{where}.{key}")


def known(hint):
    text = getattr(hint, "__forward_arg__", hint)
    return eval(text, SPACE) if type(text) is str else hint


def of_type(hint, value, where):
    hint = known(hint)
    origin, args = typing.get_origin(hint), [known(each) for each in typing.get_args(hint) if each is not type(None)]
    if origin is typing.Literal:
        pass  # a discriminator, which has chosen the model
    elif origin is typing.Union:
        enums = [each for each in args if isinstance(each, type) and issubclass(each, enum.Enum)]
        if enums:
            if not any(value == member.value for each in enums for member in each):
                yield f"{where} is {value!r}, not one of {', '.join(member.value for member in enums[0])}"
        elif not any(not list(of_type(each, value, where)) for each in args):
            yield from of_type(args[0], value, where)
    elif origin in (list, typing.List) or hint is list:
        if not isinstance(value, list):
            yield f"{where}: {value!r} is no list"
        else:
            for number, each in enumerate(value):
                yield from of_type(args[0] if args else typing.Any, each, f"{where}[{number}]")
    elif origin is dict or hint is dict:
        if not isinstance(value, dict):
            yield f"{where}: {value!r} is no object"
        else:
            for key, each in value.items():
                yield from of_type(args[1] if args else typing.Any, each, f"{where}.{key}")
    elif hint is datetime.timedelta:
        if not (isinstance(value, str) and re.fullmatch(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?([\d.]+S)?)?", value)):
            yield f"{where}: {value!r} is no duration"
    elif hint in PLAIN:
        if not isinstance(value, PLAIN[hint]) or (isinstance(value, bool) and hint is not bool):
            yield f"{where}: {value!r} is no {hint.__name__}"
    elif isinstance(hint, type) and issubclass(hint, Model):
        if value is not None:
            yield from faults(hint, value, where)


print("ready", flush=True)
for line in sys.stdin:
    name, body = json.loads(line)
    print(json.dumps(list(faults(getattr(models, name), body, name))), flush=True)
"""


class Models:
    """`faults(model, body)`: what is wrong with the body of a request, by the name of its model in the SDK."""

    def __init__(self, python, cwd):
        self._command, self._cwd = [str(python), "-c", PROGRAM], cwd
        self._process, self._turn = None, threading.Lock()

    def faults(self, model, body):
        with self._turn:
            if self._process is None:
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=self._cwd
                )
                assert self._process.stdout.readline() == "ready\n"
            self._process.stdin.write(json.dumps([model, body]) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def close(self):
        if self._process is not None:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
