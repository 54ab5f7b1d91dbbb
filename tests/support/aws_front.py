"""A front before moto's server, which answers what moto lacks; a project asks it as it asks AWS.

Each JSON request is checked against botocore's service model. What a service of AWS does beyond moto is a class with a
method `answer(region, operation, params)`, such as `support.aws_endpoints.Endpoints`.
"""

import http.client
import json
import re
import threading
from contextlib import contextmanager, suppress
from functools import cache, partial
from http.server import ThreadingHTTPServer

import botocore.session
from botocore.validate import ParamValidator

from support.aws import REGION, Cloud
from support.aws_endpoints import Endpoints, Machines, Refused
from support.listening import Handler

INVOKE = re.compile(r"/endpoints/([\w-]+)/invocations")


class Front:
    """AWS as a project sees it; `cloud` has clients and variables for it.

    `gone` has regions that do not answer; `after` has functions by operation, called when it is done and before the
    client is told.
    """

    def __init__(self, url, moto, machines):
        self.cloud, self.moto, self.machines = Cloud(url), moto, machines
        self._clients = {}
        self.reset()

    def reset(self):
        self.moto.reset()
        self.sagemaker = Endpoints(partial(self._client, self.moto), self.machines)
        self.gone, self.after, self.asked = set(), {}, []

    def client(self, service, region=REGION):
        """A client that asks the front, closed with it."""
        return self._client(self.cloud, service, region)

    def _client(self, cloud, service, region):
        key = (cloud.url, service, region)
        if key not in self._clients:
            self._clients[key] = cloud.client(service, region)
        return self._clients[key]

    def close(self):
        self.machines.stop()
        for client in self._clients.values():
            client.close()

    def operations(self):
        """What was asked of SageMaker since the last call, save questions."""
        found = [name for name in self.asked if not name.startswith(("Describe", "List"))]
        self.asked.clear()
        return found

    def config(self, name, region=REGION):
        """The configuration that an endpoint serves."""
        return self.sagemaker.endpoints[region, name].config

    def invoke(self, name, rows, region=REGION):
        """The predictions of an endpoint, as a client gets them."""
        runtime = self.client("sagemaker-runtime", region)
        body = json.dumps({"inputs": rows})
        said = runtime.invoke_endpoint(EndpointName=name, Body=body, ContentType="application/json")
        return json.loads(said["Body"].read())["predictions"]


@cache
def _service(name):
    return botocore.session.get_session().get_service_model(name)


TARGETS = {
    "SageMaker": "sagemaker",
    "AnyScaleFrontendService": "application-autoscaling",
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
}


def problems(service, operation, params):
    """What is wrong with a request by botocore's service model: names, types, what is required, and allowed values."""
    shape = _service(service).operation_model(operation).input_shape
    report = ParamValidator().validate(params, shape)
    return [*filter(None, report.generate_report().splitlines())] or [*_values(shape, params, operation)]


def _values(shape, value, where):
    """Values that the model does not allow, which botocore lets pass for the service to find."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                yield from _values(member, value[name], f"{where}.{name}")
    elif shape.type_name in ("list", "map"):
        many = shape.metadata.get("max")
        if many is not None and len(value) > many:
            yield f"{where} has {len(value)} entries, and at most {many} are allowed"
        for key in value if shape.type_name == "map" else ():
            yield from _values(shape.key, key, f"{where} key")
        for each in value.values() if shape.type_name == "map" else value:
            yield from _values(shape.value if shape.type_name == "map" else shape.member, each, where)
    elif shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield f"{where} is '{value}', which is none of {shape.enum[:5]}"
        if len(value) > shape.metadata.get("max", len(value)):
            yield f"{where} has {len(value)} characters"
        pattern = _compiled(shape.metadata.get("pattern", ""))
        if pattern and not pattern.fullmatch(value):
            yield f"{where} is '{value}', which does not match {pattern.pattern}"
    elif shape.type_name in ("integer", "long") and value > shape.metadata.get("max", value):
        yield f"{where} is {value}"


@cache
def _compiled(pattern):
    """A pattern of the model; None where it is in Java's words."""
    try:
        return re.compile(pattern) if pattern and "\\p{" not in pattern else None
    except re.error:
        return None


class _Handler(Handler):
    front = None

    def handle_one_request(self):
        with suppress(ConnectionError):  # a client that was killed
            return super().handle_one_request()
        self.close_connection = True
        return None

    def _handle(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scope = re.search(r"Credential=[^/]+/\d+/([\w-]+)/", self.headers.get("Authorization", ""))
        region = scope[1] if scope else REGION
        if region in self.front.gone:
            self.close_connection = True
            return
        try:
            self._answer(region, body)
        except Refused as refused:
            told = {"__type": refused.code, "message": str(refused), "Message": str(refused), **refused.more}
            self._send(refused.status, json.dumps(told).encode(), {"x-amzn-ErrorType": refused.code})

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _handle  # noqa: N815

    def _answer(self, region, body):
        if invoked := INVOKE.fullmatch(self.path):
            said = self.front.sagemaker.predict(region, invoked[1], body, self.headers["Content-Type"])
            self._after("InvokeEndpoint")
            self._send(200, said, {"x-Amzn-Invoked-Production-Variant": "AllTraffic"})
            return
        prefix, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        service = TARGETS.get(prefix)
        said = None
        if service:
            params = json.loads(body)
            if wrong := problems(service, operation, params):
                raise Refused("; ".join(wrong))
            if service == "sagemaker":
                self.front.asked.append(operation)
                said = self.front.sagemaker.answer(region, operation, params)
        reply = self._pass_on(body) if said is None else (200, json.dumps(said).encode(), {})
        self._after(operation or f"{self.command} {self.path.partition('?')[0]}")
        self._send(*reply)

    def _after(self, name):
        for wanted, do in list(self.front.after.items()):
            if wanted in name:
                do()

    def _pass_on(self, body):
        moto = self.front.moto.url.removeprefix("http://")
        connection = http.client.HTTPConnection(moto, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            reply = connection.getresponse()
            content = reply.read()
            skipped = {"transfer-encoding", "connection", "content-length", "date", "server"}
            headers = {name: value for name, value in reply.getheaders() if name.lower() not in skipped}
            if self.command == "HEAD" and reply.getheader("Content-Length"):
                headers["Content-Length"] = reply.getheader("Content-Length")
            return reply.status, content, headers
        finally:
            connection.close()

    def _send(self, status, content, headers):
        self.send_response(status)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def front(moto, folder, python, code):
    """A front of its own before moto's server; `python` and `code` run `mlops serve` as the serving image does."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = False  # so that each closes its connection before the end
    url = f"http://127.0.0.1:{server.server_port}"
    made = Front(url, moto, Machines(folder, python, code, url))
    handler.front = made
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        server.shutdown()
        server.server_close()
