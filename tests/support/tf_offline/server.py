"""A stand-in for a provider: the plugin protocol, version 5, over gRPC, with stored schemas and no cloud behind it.

Plans keep what the configuration says and leave what a cloud computes unknown; applies and data sources make that up.
"""

import json
import os
import re
import sqlite3
import zlib
from concurrent import futures

import grpc
import msgpack

from . import made_up, wire
from .catalog import JSON_TEXTS

UNKNOWN = msgpack.ExtType(0, b"\x00")


def unpack(message):
    fields = wire.parse(message)
    if 1 in fields:
        return msgpack.unpackb(fields[1][0], raw=False, strict_map_key=False)
    return json.loads(fields[2][0]) if 2 in fields else None


def pack(value):
    return wire.data(1, msgpack.packb(value, use_bin_type=True))


def diagnostic(summary, attribute):
    return wire.num(1, 1) + wire.data(2, summary) + wire.data(4, wire.data(1, wire.data(1, attribute)))


def known(value):
    if isinstance(value, dict):
        return all(map(known, value.values()))
    if isinstance(value, list):
        return all(map(known, value))
    return not isinstance(value, msgpack.ExtType)


def nested(block, value):
    """Each block inside a value: (schema, value)."""
    for name, inner in block.get("block_types", {}).items():
        items = value.get(name) or []
        for item in items if isinstance(items, list) else [items]:
            if isinstance(item, dict):
                yield inner["block"], item


def attributes(block):
    return block.get("attributes", {}).items()


def read_only(block, config):
    """Complaints about attributes that only the provider sets."""
    for name, about in attributes(block):
        if about.get("computed") and not about.get("optional") and config.get(name) is not None:
            yield diagnostic(f'Can\'t configure a value for "{name}": the provider decides it', name)
    for inner, item in nested(block, config):
        yield from read_only(inner, item)


def leave_open(block, value):
    for name, about in attributes(block):
        if about.get("write_only"):
            value[name] = None
        elif about.get("computed") and value.get(name) is None:
            value[name] = UNKNOWN
    for inner, item in nested(block, value):
        leave_open(inner, item)


def fill(type_name, block, value, root):
    for name, about in attributes(block):
        given = value.get(name)
        if given is None and about.get("computed"):
            value[name] = made_up.value(type_name, name, about["type"], root)
        elif not known(given):
            value[name] = made_up.complete(given, type_name, name, about["type"], root)
    for inner, item in nested(block, value):
        fill(type_name, inner, item, root)


def from_state(value, kind):
    """A value as a state's JSON has it, as the protocol wants it: they differ in what has its type with it."""
    if value is None or "dynamic" not in json.dumps(kind):
        return value
    if kind == "dynamic":
        return [json.dumps(value["type"]).encode(), value["value"]]
    shape, inner = kind
    if isinstance(value, list):
        return [from_state(each, inner) for each in value]
    return {key: from_state(each, inner[key] if shape == "object" else inner) for key, each in value.items()}


class Provider:
    """Its methods are the protocol's, GetSchema as `get_schema`: bytes of a request in, bytes of the reply out."""

    def __init__(self, source, database, words):
        self.source, self.words, self.config, self._blocks = source, words, {}, {}
        self._database = sqlite3.connect(database, check_same_thread=False)

    def block(self, kind, name):
        if (kind, name) not in self._blocks:
            row = self._database.execute("select js from s where kind=? and name=?", (kind, name)).fetchone()
            self._blocks[kind, name] = json.loads(zlib.decompress(row[0])) if row else {}
        return self._blocks[kind, name]

    def get_schema(self, _request):
        out = [wire.data(6, wire.num(1, 1) + wire.num(2, 1))]
        field = {"resource": 2, "data": 3, "ephemeral": 8}
        for kind, name in self._named():
            (schema,) = self._database.execute("select pb from s where kind=? and name=?", (kind, name)).fetchone()
            out.append(wire.data(field[kind], wire.data(1, name) + wire.data(2, schema)))
        out += [wire.data(1, schema) for (schema,) in self._database.execute("select pb from s where kind='provider'")]
        return b"".join(out)

    def get_metadata(self, _request):
        out = [wire.data(1, wire.num(1, 1) + wire.num(2, 1))]
        field = {"data": 3, "resource": 4, "ephemeral": 6}
        for kind, name in self._named():
            out.append(wire.data(field[kind], wire.data(1, name)))
        return b"".join(out)

    def prepare_provider_config(self, request):
        return wire.data(1, wire.parse(request)[1][0])

    def configure(self, request):
        self.config = unpack(wire.parse(request)[2][0]) or {}
        return b""

    def validate_resource_type_config(self, request):
        name, config = self._said(request, 2)
        found = [*read_only(self.block("resource", name), config)]
        for attribute, text in config.items():
            if isinstance(text, str) and JSON_TEXTS.fullmatch(f"{name}.{attribute}"):
                try:
                    json.loads(text)
                except ValueError as error:
                    found.append(diagnostic(f'"{attribute}" is no JSON: {error}', attribute))
        return b"".join(wire.data(1, each) for each in found)

    def validate_data_source_config(self, request):
        name, config = self._said(request, 2)
        return b"".join(wire.data(1, each) for each in read_only(self.block("data", name), config))

    def upgrade_resource_state(self, request):
        fields = wire.parse(request)
        state = wire.parse(fields[3][0]) if 3 in fields else {}
        stored = json.loads(state[1][0]) if 1 in state else None
        for name, about in attributes(self.block("resource", fields[1][0].decode())) if stored else ():
            stored[name] = from_state(stored.get(name), about["type"])
        return wire.data(1, pack(stored))

    def read_resource(self, request):
        return wire.data(1, wire.parse(request)[2][0])

    def plan_resource_change(self, request):
        name, proposed = self._said(request, 3)
        if proposed is not None:
            block = self.block("resource", name)
            leave_open(block, proposed)
            made_up.planned(self, block, proposed)
        return wire.data(1, pack(proposed)) + wire.num(5, 1)

    def apply_resource_change(self, request):
        name, planned = self._said(request, 3)
        if planned is not None:
            fill(name, self.block("resource", name), planned, dict(planned))
        return wire.data(1, pack(planned)) + wire.num(4, 1)

    def read_data_source(self, request):
        name, value = self._said(request, 2)
        value.update(made_up.data_source(self, name))
        fill(name, self.block("data", name), value, dict(value))
        return wire.data(1, pack(value))

    def stop(self, _request):
        return b""

    get_functions = stop

    def _named(self):
        """Kind and name of what the configuration may be about, by the words in it."""
        known = self._database.execute("select kind, name from s where kind <> 'provider'").fetchall()
        return [(kind, name) for kind, name in known if name in self.words]

    def _said(self, request, field):
        fields = wire.parse(request)
        return fields[1][0].decode(), unpack(fields[field][0])


class Handler(grpc.GenericRpcHandler):
    def __init__(self, source, database, words):
        self.source, self.database, self.words = source, database, words
        self.providers = {}
        """By connection: terraform has one for each `provider` block, aliases too, and their settings differ."""

    def service(self, call):
        service, _, method = call.method.lstrip("/").partition("/")
        name = re.sub("(?<!^)(?=[A-Z])", "_", method).lower()
        others = {"grpc.health.v1.Health": wire.num(1, 1), "plugin.GRPCController": b""}
        if service not in others and not hasattr(Provider, name):
            return None  # terraform copes with what is not there

        def reply(request, context):
            if service in others:
                return others[service]
            peer = context.peer()
            if peer not in self.providers:
                self.providers[peer] = Provider(self.source, self.database, self.words)
            try:
                return getattr(self.providers[peer], name)(request)
            except Exception as error:
                context.abort(grpc.StatusCode.UNKNOWN, f"stand-in of {self.source}, {method}: {error!r}")

        return grpc.unary_unary_rpc_method_handler(reply)


def serve(databases, words):
    """Start a server a provider on this machine: the servers, and what TF_REATTACH_PROVIDERS has to say.

    A schema has those resources and data that are among the words.
    """
    servers, reattach = [], {}
    for source, database in databases.items():
        limits = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        server = grpc.server(futures.ThreadPoolExecutor(8), options=limits)
        server.add_generic_rpc_handlers((Handler(source, database, words),))
        address = {"Network": "tcp", "String": f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"}
        server.start()
        servers.append(server)
        reattach[source] = {"Protocol": "grpc", "ProtocolVersion": 5, "Pid": os.getpid(), "Test": True, "Addr": address}
    return servers, reattach
