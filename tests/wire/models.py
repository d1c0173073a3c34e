"""Compares recorded requests with those that botocore makes of the same parameters.

Reads one request a line, as JSON (method, host, path, headers, body in base64), finds the operation
in AWS's own model, reads the parameters back, lets botocore check and send them, and compares what
it would have sent: name of the host, path, query, region and service of the signature, headers of
S3's and body. Prints each difference; exits with 1 if there is one.
"""

import base64
import copy
import json
import re
import sys
from collections import Counter
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

import botocore.session
from botocore.config import Config
from botocore.model import ServiceModel
from botocore.parsers import create_parser

# They say how a body was hashed and by which program, not what was asked.
TRANSPORT = re.compile(
    "x-amz-(date|content-sha256|security-token|user-agent|checksum-.*|sdk-checksum-algorithm)$"
)


class Sent(Exception):
    """Carries the request that would have been sent."""


def capture(request, **_):
    raise Sent(request)


session = botocore.session.Session()
session.set_credentials("AKIDEXAMPLE", "secret")
clients, models = {}, {}


def model_of(service):
    """AWS's model; a client takes the bucket out of the paths of its own."""
    if service not in models:
        loaded = session.get_component("data_loader").load_service_model(service, "service-2")
        models[service] = ServiceModel(copy.deepcopy(loaded), service_name=service)
    return models[service]


def client(service, region):
    if (service, region) not in clients:
        made = session.create_client(
            service,
            region_name=region,
            config=Config(
                s3={"us_east_1_regional_endpoint": "regional"},
                retries={"total_max_attempts": 1},
                request_checksum_calculation="when_required",
            ),
        )
        made.meta.events.register("before-send", capture)
        clients[service, region] = made
    return clients[service, region]


def scope(headers):
    """Region and service of a signature."""
    header = headers.get("authorization", "")
    header = header.decode() if isinstance(header, bytes) else header
    return tuple(header.split("Credential=")[1].split("/")[2:4])


def candidates(model, request, path, query):
    """Operations that this method and path can be, with the parameters in the path."""
    for name in model.operation_names:
        operation = model.operation_model(name)
        template, _, fixed = operation.http["requestUri"].partition("?")
        fixed = dict(parse_qsl(fixed, keep_blank_values=True))
        pattern = re.sub(
            r"\\{(\w+)(\\\+)?\\}",
            lambda found: f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})",
            re.escape(template),
        )
        match = re.fullmatch(pattern, path)
        if operation.http["method"] != request["method"] or not match:
            continue
        if any(query.get(key) != [value] for key, value in fixed.items()):
            continue
        shape = operation.input_shape
        members = shape.members if shape else {}
        place = lambda location: {
            member.serialization["name"]: name
            for name, member in members.items()
            if member.serialization.get("location") == location
        }
        known = set(fixed) | set(place("querystring"))
        if set(query) - known - {"x-id"}:
            continue
        required = shape.required_members if shape else []
        there = {**place("querystring"), **place("header")}
        has = set(query) | set(request["headers"])
        missing = [wire for wire, name in there.items() if name in required]
        if any(wire.lower() not in has and wire not in has for wire in missing):
            continue
        # The one with the most that is fixed or needed: `?policy` before a plain list.
        yield len(fixed) + len(missing), name, {
            place("uri")[wire]: unquote(value) for wire, value in match.groupdict().items()
        }


def scalar(shape, text):
    if shape.type_name in ("integer", "long"):
        return int(text)
    if shape.type_name == "boolean":
        return text == "true"
    return text


def by_rest(service, model, request, bucket):
    target = urlsplit("//host" + request["path"])
    query = parse_qs(target.query, keep_blank_values=True)
    # The model has the bucket in the path.
    path = f"/{bucket}{target.path}" if bucket else target.path
    path = path.removesuffix("/") if bucket and target.path == "/" else path
    found = list(candidates(model, request, path, query))
    if not found:
        raise ValueError("no operation of the model is asked for so")
    _, name, params = max(found)
    if "x-id" in query and query["x-id"] != [name]:
        raise ValueError(f"x-id says {query['x-id']}, the model says {name}")
    operation = model.operation_model(name)
    members = operation.input_shape.members if operation.input_shape else {}
    for member, shape in members.items():
        location, wire = (shape.serialization.get(key) for key in ("location", "name"))
        if location == "querystring" and wire in query:
            params[member] = (
                query[wire] if shape.type_name == "list" else scalar(shape, query[wire][0])
            )
        elif location == "header" and wire.lower() in request["headers"]:
            if not TRANSPORT.match(wire.lower()):
                params[member] = scalar(shape, request["headers"][wire.lower()])
        elif location == "headers":
            kept = {
                key[len(wire) :]: value
                for key, value in request["headers"].items()
                if key.startswith(wire.lower())
            }
            if kept:
                params[member] = kept
    payload = operation.input_shape and operation.input_shape.serialization.get("payload")
    if payload and members[payload].type_name == "structure" and request["body"]:
        reader = create_parser("rest-xml")
        root = reader._parse_xml_string_to_dom(request["body"])
        params[payload] = reader._parse_shape(members[payload], root)
    elif payload and request["body"]:
        is_text = members[payload].type_name == "string"
        params[payload] = request["body"].decode() if is_text else request["body"]
    elif request["body"]:
        body = json.loads(request["body"])
        params |= create_parser("rest-json")._parse_shape(operation.input_shape, body)
    return name, params


def from_form(shape, form, prefix):
    """The value under a prefix of a form (AWS Query protocol)."""
    below = lambda name: any(key == name or key.startswith(f"{name}.") for key in form)
    if shape.type_name == "structure":
        return {
            name: from_form(member, form, f"{prefix}.{name}".lstrip("."))
            for name, member in shape.members.items()
            if below(f"{prefix}.{name}".lstrip("."))
        }
    if shape.type_name == "list":
        values = []
        while below(f"{prefix}.member.{len(values) + 1}"):
            values.append(from_form(shape.member, form, f"{prefix}.member.{len(values) + 1}"))
        return values
    return scalar(shape, form[prefix])


def parameters(service, model, request):
    """Which operation it is, and what for."""
    protocol = model.metadata["protocol"]
    if protocol == "query":
        form = dict(parse_qsl(request["body"].decode(), keep_blank_values=True))
        name = form["Action"]
        shape = model.operation_model(name).input_shape
        return name, from_form(shape, form, "") if shape else {}
    if protocol == "json":
        prefix, name = request["headers"]["x-amz-target"].split(".")
        assert prefix == model.metadata["targetPrefix"], prefix
        shape = model.operation_model(name).input_shape
        body = json.loads(request["body"])
        return name, create_parser("json")._parse_shape(shape, body)
    host = request["host"]
    bucket = host.split(".s3.")[0] if ".s3." in host else None
    return by_rest(service, model, request, bucket)


def leaves(element, path=""):
    path = f"{path}/{element.tag}"
    yield path, (element.text or "").strip()
    for child in element:
        yield from leaves(child, path)


def meaning(protocol, body):
    """A body, so that two that mean the same are equal."""
    if not body:
        return None
    if protocol == "query":
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    if protocol == "rest-xml" and body.lstrip().startswith(b"<") and b"xmlns" in body:
        return Counter(leaves(ElementTree.fromstring(body)))
    if "json" in protocol:
        return json.loads(body)
    return body


def shown(protocol, method, url, headers, body):
    """What is compared."""
    target = urlsplit(url)
    query = parse_qs(target.query, keep_blank_values=True)
    # One SDK names the operation, the other asks for keys that XML can carry.
    ignored = {"x-id", "encoding-type"}
    return {
        "method": method,
        "host": target.netloc,
        "path": unquote(target.path),
        "query": {key: value for key, value in query.items() if key not in ignored},
        "signed for": scope(headers),
        "headers": {
            key: value
            for key, value in headers.items()
            if key.startswith("x-amz-") and not TRANSPORT.match(key) and key != "x-amz-target"
        },
        "body": meaning(protocol, body),
    }


def check(request):
    """The operation, and what is different."""
    region, service = scope(request["headers"])
    model = model_of(service)
    name, params = parameters(service, model, request)
    try:
        client(service, region)._make_api_call(name, params)
    except Sent as sent:
        theirs = sent.args[0]
    else:
        raise ValueError("botocore sent nothing")
    body = theirs.body
    body = body.read() if hasattr(body, "read") else body
    body = body.encode() if isinstance(body, str) else body
    text = lambda value: value.decode() if isinstance(value, bytes) else value
    headers = {key.lower(): text(value) for key, value in theirs.headers.items()}
    protocol = model.metadata["protocol"]
    url = f"https://{request['host']}{request['path']}"
    ours = shown(protocol, request["method"], url, request["headers"], request["body"])
    theirs = shown(protocol, theirs.method, theirs.url, headers, body)
    differences = [
        f"{part}: {ours[part]!r}, botocore {theirs[part]!r}"
        for part in ours
        if ours[part] != theirs[part]
    ]
    return f"{service}:{name}", differences


def main():
    operations, wrong = Counter(), 0
    for line in sys.stdin:
        request = json.loads(line)
        request["body"] = base64.b64decode(request["body"])
        try:
            name, differences = check(request)
        except Exception as error:  # noqa: BLE001, whatever it is, this request is not valid
            name, differences = "?", [f"{type(error).__name__}: {error}"]
        operations[name] += 1
        wrong += bool(differences)
        for difference in differences:
            print(f"{name} {request['method']} {request['host']}{request['path']}: {difference}")
    print(f"{operations.total()} requests of {len(operations)} operations, {wrong} wrong")
    sys.exit(1 if wrong else 0)


main()
