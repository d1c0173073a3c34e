"""One instance of config/edge/maintenance.py, as Lambda would start it, against a fake S3."""

import contextlib
import hashlib
import importlib.util
import io
import json
import os
import shutil
import tempfile
import types
import unittest
import warnings
from datetime import datetime, timezone
from unittest import mock

from fake_s3 import FakeS3

SOURCE = os.path.join(os.path.dirname(__file__), "..", "..", "config", "edge", "maintenance.py")
NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc).timestamp()
TOKEN = "open-sesame_42"
TOKEN_HASH = hashlib.sha256(TOKEN.encode()).hexdigest()
SITE = "the site"
SETTINGS = {
    "bucket": "demo",
    "region": "eu-west-1",
    "key": "maintenance-on.html",
    "status": 503,
    "retry_after": 600,
    "cache": 5.0,
    "allow": ["/robots.txt", "/.well-known/*"],
    "programs": ["/api/*", "/feed"],
    "csp": "script-src 'none'",
    "bypass": {"cidrs": [], "cookie": "provision-bypass"},
    "site": {"rule": "none", "root": "/index.html", "endings": [], "pages": {}},
}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG",
    "AWS_SESSION_TOKEN": "session",
}


class Instance:
    """One instance of the function: a fresh import of the package; its clock stands still."""

    def __init__(self, environment, **settings):
        self.now = NOON
        self.printed = io.StringIO()
        with tempfile.TemporaryDirectory() as package:
            shutil.copy(SOURCE, os.path.join(package, "maintenance.py"))
            with open(os.path.join(package, "settings.json"), "w", encoding="utf-8") as file:
                json.dump({**SETTINGS, **settings}, file)
            spec = importlib.util.spec_from_file_location(
                "maintenance", os.path.join(package, "maintenance.py")
            )
            self.module = importlib.util.module_from_spec(spec)
            self.environment = {**ENVIRONMENT, **environment}
            with (
                mock.patch.dict(os.environ, self.environment),
                contextlib.redirect_stdout(self.printed),
            ):
                spec.loader.exec_module(self.module)
        self.module.clock = lambda: self.now

    def visit(self, uri="/", **visit):
        """Returns SITE if the request came back untouched, else the response."""
        result = self.reach(uri, **visit)
        if isinstance(result, str):
            assert result == uri, "the request was changed"
            return SITE
        return result

    def reach(
        self, uri="/", method="GET", query="", cookie=None, client="198.51.100.7", **headers_sent
    ):
        """Returns the path under which the site is asked if the request came back, else the
        response."""
        headers = {"host": [{"key": "Host", "value": "d111111abcdef8.cloudfront.net"}]}
        for name, value in headers_sent.items():
            name = name.replace("_", "-")
            headers[name] = [{"key": name.title(), "value": value}]
        if cookie:
            headers["cookie"] = [{"key": "Cookie", "value": value} for value in cookie]
        request = {
            "clientIp": client,
            "headers": headers,
            "method": method,
            "querystring": query,
            "uri": uri,
        }
        event = {
            "Records": [{"cf": {"config": {"eventType": "viewer-request"}, "request": request}}]
        }
        others = {name: value for name, value in request.items() if name != "uri"}
        before = json.dumps(others)
        with (
            mock.patch.dict(os.environ, self.environment),
            contextlib.redirect_stdout(self.printed),
        ):
            result = self.module.handler(event, types.SimpleNamespace(function_version="7"))
        if result is request:
            others = {name: value for name, value in request.items() if name != "uri"}
            assert json.dumps(others) == before, "the request was changed"
            return request["uri"]
        json.dumps(result)
        return result

    def shows_page(self, **visit):
        result = self.visit(**visit)
        return result != SITE and result["status"] == "503"

    @property
    def notes(self):
        return self.printed.getvalue().splitlines()


def header(response, name):
    [entry] = response["headers"][name]
    return entry["value"]


class EdgeCase(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.s3 = FakeS3()
        self.addCleanup(self.s3.stop)

    def instance(self, **settings):
        return Instance({"AWS_ENDPOINT_URL_S3": self.s3.url}, **settings)
