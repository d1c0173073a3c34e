"""What visitors get from config/edge/maintenance.py, table by table, against a fake S3 on loopback.

    python3 -m unittest discover -s tests/edge
"""

import contextlib
import hashlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
import warnings
from datetime import datetime, timezone
from unittest import mock

from fake_s3 import ABSENT, FakeS3, answer, page

SOURCE = os.path.join(os.path.dirname(__file__), "..", "..", "config", "edge", "maintenance.py")
NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc).timestamp()
TOKEN = "open-sesame_42"
TOKEN_HASH = hashlib.sha256(TOKEN.encode()).hexdigest()
SITE = "the site"
SETTINGS = {
    "bucket": "demo", "region": "eu-west-1", "key": "maintenance-on.html", "status": 503, "retry_after": 600,
    "cache": 5.0, "allow": ["/robots.txt", "/.well-known/*"], "bypass": {"cidrs": [], "cookie": "provision-bypass"},
}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG",
    "AWS_SESSION_TOKEN": "session",
}


class Instance:
    """One instance of the function: a fresh import of the package, with a clock that stands still."""

    def __init__(self, environment, **settings):
        self.now = NOON
        self.printed = io.StringIO()
        with tempfile.TemporaryDirectory() as package:
            shutil.copy(SOURCE, os.path.join(package, "maintenance.py"))
            with open(os.path.join(package, "settings.json"), "w", encoding="utf-8") as file:
                json.dump({**SETTINGS, **settings}, file)
            spec = importlib.util.spec_from_file_location("maintenance", os.path.join(package, "maintenance.py"))
            self.module = importlib.util.module_from_spec(spec)
            self.environment = {**ENVIRONMENT, **environment}
            with mock.patch.dict(os.environ, self.environment), contextlib.redirect_stdout(self.printed):
                spec.loader.exec_module(self.module)
        self.module.clock = lambda: self.now

    def visit(self, uri="/", method="GET", query="", cookie=None, client="198.51.100.7"):
        """Returns SITE if the request came back untouched, else the response."""
        headers = {"host": [{"key": "Host", "value": "d111111abcdef8.cloudfront.net"}]}
        if cookie:
            headers["cookie"] = [{"key": "Cookie", "value": value} for value in cookie]
        request = {"clientIp": client, "headers": headers, "method": method, "querystring": query, "uri": uri}
        event = {"Records": [{"cf": {"config": {"eventType": "viewer-request"}, "request": request}}]}
        before = json.dumps(event)
        with mock.patch.dict(os.environ, self.environment), contextlib.redirect_stdout(self.printed):
            result = self.module.handler(event, types.SimpleNamespace(function_version="7"))
        if result is request:
            assert json.dumps(event) == before, "the request was changed"
            return SITE
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


class TheSwitch(EdgeCase):
    def test_only_a_page_that_s3_confirms_is_shown(self):
        half = page()[:-5]
        chunked = page().replace(b"Content-Length: 20\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n14\r\n")
        chunked += b"\r\n0\r\n\r\n"
        table = [
            ("present", page(), True, []),
            ("present, chunked", chunked, True, []),
            ("present, closing", answer(200, "x", close=True), True, []),
            ("absent", ABSENT, False, []),
            ("absent, with a length", answer(404, b"gone"), False, []),
            ("denied", answer(403, "AccessDenied"), False, ["403 AccessDenied"]),
            ("wrong region", answer(301, "PermanentRedirect"), False, ["301 PermanentRedirect"]),
            ("temporary redirect", answer(307, b"", [("Location", "http://127.0.0.1:1/")]), False, ["307"]),
            ("slow down", answer(503, "SlowDown"), False, ["503 SlowDown"]),
            ("broken", answer(500, "InternalError"), False, ["500 InternalError"]),
            ("no content", answer(204), False, ["204"]),
            ("unmodified, unasked", answer(304), False, ["304"]),
            ("garbage", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", False, ["not HTTP"]),
            ("another protocol", b"RTSP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", False, ["not HTTP"]),
            ("endless garbage", b"x" * 100_000, False, ["not HTTP"]),
            ("bad length", b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", False, ["ValueError"]),
            ("no length", b"HTTP/1.1 200 OK\r\n\r\n", False, ["ValueError"]),
            ("bad chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", False, ["ValueError"]),
        ]
        for name, reply, shown, problems in table:
            with self.subTest(name):
                self.s3.reply = reply
                instance = self.instance()
                self.assertEqual(instance.shows_page(), shown)
                self.assertEqual(len(instance.notes), len(problems), instance.notes)
                for problem, line in zip(problems, instance.notes):
                    self.assertIn(problem, line)
        for name, reply in [("nothing", b""), ("half a head", half[:30]), ("half a body", half)]:
            with self.subTest(name):
                self.s3.reply, self.s3.hang_up = reply, True
                instance = self.instance()
                self.assertEqual(instance.visit(), SITE)
                self.assertIn("ConnectionError", instance.notes[0])

    def test_a_slow_s3_costs_one_deadline_per_interval(self):
        table = [
            ("silent", [60, page()]), ("late", [2, page()]), ("stuck", [page()[:-5], 60]),
            ("trickling", [piece for byte in page() for piece in (b"%c" % byte, 0.02)]),
        ]
        for name, reply in table:
            with self.subTest(name):
                self.s3.reply, self.s3.requests = reply, []
                instance = self.instance()
                instance.module.DEADLINE = 0.1
                self.assertEqual([instance.visit() for _ in range(5)], [SITE] * 5)
                self.assertEqual(len(self.s3.requests), 1)
                self.assertEqual(len(instance.notes), 1, instance.notes)
                self.assertIn("timed out", instance.notes[0])

    def test_when_the_time_is_up_nothing_is_begun(self):
        instance = self.instance()
        instance.module.DEADLINE = -1
        self.assertEqual(instance.visit(), SITE)
        self.assertIn("TimeoutError: timed out", instance.notes[0])
        self.assertEqual(self.s3.connections, 0)

    def test_a_refused_connection_leaves_the_site(self):
        self.s3.stop()
        instance = self.instance()
        self.assertEqual(instance.visit(), SITE)
        self.assertIn("ConnectionRefusedError", instance.notes[0])

    def test_without_credentials_the_site_stays(self):
        instance = self.instance()
        del instance.environment["AWS_SECRET_ACCESS_KEY"]
        with mock.patch.dict(os.environ):
            os.environ.pop("AWS_SECRET_ACCESS_KEY", None)
            self.assertEqual(instance.visit(), SITE)
        self.assertEqual(len(instance.notes), 1)

    def test_an_exception_anywhere_leaves_the_site_and_is_noted_once(self):
        self.s3.reply = page()
        instance = self.instance()
        with mock.patch.object(instance.module, "tokens", side_effect=RuntimeError("planted\nin two lines")):
            self.assertEqual([instance.visit(), instance.visit()], [SITE, SITE])
        self.assertEqual(instance.notes, ["provision: RuntimeError: planted in two lines"])

    def test_s3_is_read_once_per_interval_whatever_it_answers(self):
        for name, reply in [("on", page()), ("off", ABSENT), ("denied", answer(403, "AccessDenied"))]:
            with self.subTest(name):
                self.s3.reply, self.s3.requests = reply, []
                instance = self.instance()
                reads = []
                for second in (0, 1, 4.9, 5, 9.9, 10):
                    instance.now = NOON + second
                    instance.visit()
                    reads.append(len(self.s3.requests))
                self.assertEqual(reads, [1, 1, 1, 2, 2, 3])
                instance.now = NOON - 3600  # a clock set back must not freeze the switch
                instance.visit()
                self.assertEqual(len(self.s3.requests), 4)
                self.assertLessEqual(len(instance.notes), 1)

    def test_a_failed_read_is_remembered_from_its_end(self):
        self.s3.reply = answer(500, "InternalError")
        instance = self.instance()
        sign = instance.module.signed_request

        def take_two_seconds(*arguments):
            instance.now += 2
            return sign(*arguments)

        instance.module.signed_request = take_two_seconds
        instance.visit()
        instance.now += 4.9
        instance.visit()
        self.assertEqual(len(self.s3.requests), 1)

    def test_turning_the_switch_shows_after_the_interval(self):
        instance = self.instance()
        seen = []
        for second, reply in [(0, ABSENT), (1, page()), (5, page()), (6, ABSENT), (10, ABSENT), (15, page("new"))]:
            self.s3.reply = reply
            instance.now = NOON + second
            seen.append(instance.shows_page())
        self.assertEqual(seen, [False, False, True, True, False, True])

    def test_the_last_answer_stands_in_for_a_minute(self):
        fault = answer(500, "InternalError")
        instance = self.instance()
        seen = []
        for second, reply in [(0, page()), (5, fault), (59, fault), (61, fault), (70, fault), (75, page())]:
            self.s3.reply = reply
            instance.now = NOON + second
            seen.append(instance.shows_page())
        self.assertEqual(seen, [True, True, True, False, False, True])
        self.assertEqual(len(instance.notes), 1)

    def test_an_unmodified_page_is_kept(self):
        self.s3.reply = page("first")
        instance = self.instance()
        instance.visit()
        self.s3.reply = answer(304, headers=[("Last-Modified", "Sun, 22 Nov 2026 20:00:00 GMT")])
        for second in (5, 10, 70, 140):  # each confirms it anew
            instance.now = NOON + second
            self.assertEqual(instance.visit()["body"], "first")
            self.assertIn('if-none-match:"1"', self.s3.requests[-1])
        self.assertNotIn('if-none-match:"1"', self.s3.requests[0])
        self.assertEqual(instance.notes, [])

    def test_a_new_window_on_the_same_page_is_seen(self):
        then = "Sun, 22 Nov 2026 20:00:00 GMT"
        for first, later in [(then, "Sun, 22 Nov 2026 20:30:00 GMT"), (then, None), (None, None)]:
            with self.subTest(first=first, later=later):
                self.s3.reply = page(modified=first)
                instance = self.instance()
                self.assertTrue(instance.shows_page())
                self.s3.reply = answer(304, headers=[("Last-Modified", later)] if later else [])
                instance.now += 5
                instance.visit()
                self.s3.reply = page(until="2026-11-22T12:00:01Z")
                instance.now += 5
                self.assertEqual(instance.visit(), SITE)
                self.assertFalse([line for line in self.s3.requests[-1] if line.startswith("if-none-match")])

    def test_a_page_of_this_second_is_read_whole_again(self):
        then = "Sun, 22 Nov 2026 20:00:00 GMT"
        for date, asked_for_changes in [(then, False), ("Sun, 22 Nov 2026 20:00:01 GMT", True)]:
            with self.subTest(date=date):
                self.s3.reply = page(modified=then, date=date)
                instance = self.instance()
                instance.visit()
                instance.now += 5
                instance.visit()
                self.assertEqual('if-none-match:"1"' in self.s3.requests[-1], asked_for_changes)

    def test_connections_are_kept_and_replaced(self):
        table = [
            ("kept after absent", ABSENT, False, 5, 1),
            ("kept after present", page(), False, 5, 1),
            ("kept after denied", answer(403, "AccessDenied"), False, 5, 2),
            ("closed by S3", ABSENT, True, 5, 2),
            ("idle for too long", ABSENT, False, 11, 2),
            ("the rest of a long page is on it", page("x" * 50_000), False, 5, 2),
        ]
        for name, reply, hang_up, later, connections in table:
            with self.subTest(name):
                self.s3.reply, self.s3.hang_up, self.s3.connections = reply, hang_up, 0
                instance = self.instance()
                first = instance.visit()
                instance.now += later
                self.assertEqual(instance.visit(), first)
                self.assertEqual(self.s3.connections, connections)
                self.assertFalse([line for line in instance.notes if "Connection" in line])


class TheWindow(EdgeCase):
    def test_the_edge_judges_the_window_at_each_request(self):
        whole = {"from": "2026-11-22T12:00:00Z", "until": "2026-11-22T13:00:00Z"}
        table = [
            (whole, -1, None), (whole, 0, "3600"), (whole, 3599.5, "1"), (whole, 3600, None),
            ({"until": "2026-11-22T13:00:00Z"}, -7200, "10800"),
            ({"from": "2026-11-22T12:00:00Z"}, 90_000, "600"),
            ({"from": "2026-11-22T13:00:00+01:00"}, -1, None), ({"from": "2026-11-22T13:00:00+01:00"}, 0, "600"),
        ]
        for metadata, second, retry_after in table:
            with self.subTest(metadata=metadata, second=second):
                self.s3.reply = page(**metadata)
                instance = self.instance(cache=1e9)
                instance.now = NOON - 9000
                instance.visit()
                instance.now = NOON + second
                result = instance.visit()
                self.assertEqual(result if result == SITE else header(result, "retry-after"), retry_after or SITE)
                self.assertEqual(instance.notes, [])

    def test_metadata_sets_status_and_retry_after(self):
        table = [
            ({}, "503", "600"), ({"status": "200"}, "200", "600"), ({"status": "599"}, "599", "600"),
            ({"retry_after": "90"}, "503", "90"), ({"retry_after": "0"}, "503", "0"),
            ({"retry_after": "90", "until": "2026-11-22T12:00:30Z"}, "503", "30"),
        ]
        for metadata, status, retry_after in table:
            with self.subTest(metadata):
                self.s3.reply = page(**metadata)
                instance = self.instance()
                result = instance.visit()
                self.assertEqual((result["status"], header(result, "retry-after")), (status, retry_after))
                self.assertEqual(instance.notes, [])

    def test_moments_are_read_as_the_command_line_reads_them(self):
        with open(os.path.join(os.path.dirname(__file__), "moments.json"), encoding="utf-8") as file:
            rows = json.load(file)
        instant = self.instance().module.instant
        for text, moment in rows:
            with self.subTest(text):
                if moment is None:
                    self.assertRaises(ValueError, instant, text)
                else:
                    self.assertEqual(instant(text), moment)

    def test_unreadable_metadata_is_ignored_and_noted_once(self):
        for metadata in [
            {"from": "tomorrow"}, {"until": "2020-01-01T00:00:00"}, {"until": "2020-01-01"}, {"status": "199"},
            {"status": "600"}, {"status": "OK"}, {"retry_after": "-5"}, {"retry_after": "10m"}, {"bypass": "xyz"},
        ]:
            with self.subTest(metadata):
                self.s3.reply = page(**metadata)
                instance = self.instance()
                result = instance.visit()
                self.assertEqual((result["status"], header(result, "retry-after")), ("503", "600"))
                instance.now += 5
                instance.visit()
                self.assertEqual(len(instance.notes), 1, instance.notes)


class TheResponse(EdgeCase):
    def test_it_is_what_cloudfront_takes(self):
        self.s3.reply = page("<h1>Wartung, 保守 – ©</h1>")
        expected = {
            "status": "503",
            "statusDescription": "Service Unavailable",
            "headers": {
                "cache-control": [{"key": "Cache-Control", "value": "no-store"}],
                "content-type": [{"key": "Content-Type", "value": "text/html; charset=utf-8"}],
                "retry-after": [{"key": "Retry-After", "value": "600"}],
                "x-provision-version": [{"key": "X-Provision-Version", "value": "7"}],
            },
            "body": "<h1>Wartung, 保守 – ©</h1>",
        }
        instance = self.instance()
        for uri in ("/", "/home.html", "/app/deep?", "/robots.txt.bak", "/.well-knownish"):
            self.assertEqual(instance.visit(uri), expected, uri)
        self.assertEqual(instance.visit(method="POST"), expected)
        del expected["body"]
        self.assertEqual(instance.visit(method="HEAD"), expected)

    def test_status_204_has_no_body(self):
        self.s3.reply = page(status="204")
        self.assertNotIn("body", self.instance().visit())

    def test_the_media_type_is_html(self):
        table = [
            ("text/html", "text/html"), ("text/html; charset=iso-8859-1", "text/html"), ("", "text/html"),
            ("binary/octet-stream", "text/html"), ("application/xhtml+xml", "application/xhtml+xml"),
        ]
        for own, shown in table:
            with self.subTest(own):
                self.s3.reply = page(content_type=own)
                self.assertEqual(header(self.instance().visit(), "content-type"), f"{shown}; charset=utf-8")

    def test_a_page_that_does_not_fit_is_replaced(self):
        overhead = sum(map(len, ["cache-control", "no-store", "content-type", "text/html; charset=utf-8",
                                 "retry-after", "600", "x-provision-version", "7"])) + 4 * 4
        most = 40_960 - overhead
        table = [
            ("at the limit", "x" * most, False), ("one over", "x" * (most + 1), True),
            ("at the limit, in bytes", "é" * (most // 2), False), ("over, in bytes", "é" * (most // 2 + 1), True),
            ("far over", "x" * 1_000_000, True),
            ("Latin-1", "Wartung für Sie".encode("latin-1"), True), ("gzip", b"\x1f\x8b\x08\x00", True),
        ]
        for name, html, replaced in table:
            with self.subTest(name):
                self.s3.reply = page(html)
                instance = self.instance()
                results = [instance.visit(), instance.visit()]
                for result in results:
                    self.assertEqual(result["status"], "503")
                    self.assertEqual("Back soon" in result["body"], replaced)
                self.assertEqual(len(instance.notes), int(replaced), instance.notes)
                self.assertEqual("body" in instance.visit(method="HEAD"), False)

    def test_of_a_page_that_does_not_fit_the_rest_is_not_waited_for(self):
        head = page("").partition(b"Content-Length")[0]
        chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
        table = [
            ("plain", b"Content-Length: 9999999\r\n\r\n"),
            ("one chunk", b"Transfer-Encoding: chunked\r\n\r\n98967F\r\n"),
            ("chunks", b"Transfer-Encoding: chunked\r\n\r\n" + 6 * chunk),
        ]
        for name, framing in table:
            with self.subTest(name):
                self.s3.reply = [head + framing + b"x" * 50_000 + b"\r\n", 60]
                instance = self.instance()
                self.assertIn("Back soon", instance.visit()["body"])

    def test_allowed_paths_get_the_site_without_a_read(self):
        self.s3.reply = page()
        instance = self.instance()
        for uri in ("/robots.txt", "/.well-known/acme-challenge/x", "/.well-known/"):
            self.assertEqual(instance.visit(uri), SITE, uri)
        self.assertEqual(self.s3.requests, [])


class TheBypass(EdgeCase):
    def test_the_cookie_lets_in(self):
        table = [
            ([f"provision-bypass={TOKEN}"], True), ([f"a=b; provision-bypass={TOKEN};c=d"], True),
            (["a=b", f"provision-bypass={TOKEN}"], True), ([f"provision-bypass=no; provision-bypass={TOKEN}"], True),
            (["provision-bypass=wrong"], False), (["provision-bypass="], False), (["provision-bypass"], False),
            ([f"xprovision-bypass={TOKEN}"], False), ([f"provision-bypass={TOKEN_HASH}"], False),
            (["provision-bypass=\ud800é"], False), ([f"other={TOKEN}"], False),
        ]
        self.s3.reply = page(bypass=TOKEN_HASH.upper())
        instance = self.instance()
        for cookie, let_in in table:
            with self.subTest(cookie):
                self.assertEqual(instance.shows_page(cookie=cookie), not let_in)
        self.assertEqual(instance.notes, [])

    def test_without_a_hash_no_token_lets_in(self):
        for metadata in ({}, {"bypass": ""}, {"bypass": hashlib.sha256(b"").hexdigest()[:32]}):
            with self.subTest(metadata):
                self.s3.reply = page(**metadata)
                instance = self.instance()
                self.assertTrue(instance.shows_page(cookie=["provision-bypass="]))
                self.assertTrue(instance.shows_page(query="provision-bypass="))

    def test_the_link_sets_the_cookie(self):
        given = f"provision-bypass={TOKEN}"
        table = [
            ("/", given, "/"), ("/", f"{given}&{given}", "/"),
            ("/home.html", f"a=1&{given}&b=%20", "/home.html?a=1&b=%20"),
            ("//evil.example/x", given, "/evil.example/x"), ("/\\evil.example", given, "/evil.example"),
        ]
        self.s3.reply = page(bypass=TOKEN_HASH)
        instance = self.instance()
        for uri, query, location in table:
            with self.subTest(uri=uri, query=query):
                result = instance.visit(uri, query=query)
                self.assertEqual((result["status"], header(result, "location")), ("302", location))
                self.assertEqual(header(result, "cache-control"), "no-store")
                self.assertNotIn("body", result)
                cookie, *attributes = header(result, "set-cookie").split("; ")
                self.assertEqual(cookie, given)
                self.assertEqual(attributes, ["Path=/", "Max-Age=43200", "Secure", "HttpOnly", "SameSite=Lax"])
        for query in ("provision-bypass=wrong", "provision-bypass", "provision-bypass=", f"other={TOKEN}"):
            with self.subTest(query):
                self.assertTrue(instance.shows_page(query=query))

    def test_addresses_let_in(self):
        table = [
            ("203.0.113.0", True), ("203.0.113.255", True), ("203.0.114.0", False), ("2001:db8:1::42", True),
            ("2001:db8:2::", False), ("198.51.100.9", True),
        ]
        self.s3.reply = page()
        cidrs = ["203.0.113.7/24", "nonsense", "2001:db8:1::/48", "198.51.100.9/32"]
        instance = self.instance(bypass={"cidrs": cidrs, "cookie": "provision-bypass"})
        for client, let_in in table:
            with self.subTest(client):
                self.assertEqual(instance.shows_page(client=client), not let_in)
        self.assertEqual(instance.notes, ["provision: ignored cidr 'nonsense'"])


class TheRead(EdgeCase):
    def test_the_signature_is_what_botocore_computes(self):  # computed once by botocore 1.44.5, S3SigV4Auth
        instance = self.instance(key="ops/on now é+.html")
        instance.module.HOST = "demo.s3.eu-west-1.amazonaws.com"
        instance.module.PATH = instance.module.PATH.removeprefix("demo/")
        with mock.patch.dict(os.environ, ENVIRONMENT):
            lines = instance.module.signed_request(NOON, None).decode().split("\r\n")
        self.assertEqual(lines[0], "GET /ops/on%20now%20%C3%A9%2B.html HTTP/1.1")
        self.assertIn("x-amz-security-token:session", lines)
        self.assertTrue(lines[-3].startswith(
            "authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu-west-1/s3/aws4_request, "
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "))
        signature = "77cac3b1d6b9d7d94989351b8d5c1c18d192655cba6b3d7b5eaa3866263864c6"
        self.assertTrue(lines[-3].endswith(f"Signature={signature}"), lines[-3])

    def test_where_the_object_is(self):
        table = [
            ({}, "demo", ("https", "demo.s3.eu-west-1.amazonaws.com", 443, "maintenance-on.html")),
            ({}, "my.site", ("https", "s3.eu-west-1.amazonaws.com", 443, "my.site/maintenance-on.html")),
            ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9000/"}, "demo",
             ("http", "127.0.0.1", 9000, "demo/maintenance-on.html")),
            ({"AWS_ENDPOINT_URL_S3": "https://minio.test", "AWS_ENDPOINT_URL": "http://no"}, "demo",
             ("https", "minio.test", 443, "demo/maintenance-on.html")),
            ({"AWS_ENDPOINT_URL_S3": "http://[::1]:9000"}, "demo", ("http", "::1", 9000, "demo/maintenance-on.html")),
            ({"AWS_ENDPOINT_URL_S3": "http://[::1]"}, "demo", ("http", "::1", 80, "demo/maintenance-on.html")),
        ]
        for environment, bucket, place in table:
            with self.subTest(environment=environment, bucket=bucket):
                module = Instance(environment, bucket=bucket).module
                self.assertEqual((module.SCHEME, module.NAME, int(module.PORT), module.PATH), place)
                self.assertEqual(module.TLS is not None, place[0] == "https")

    def test_the_object_is_asked_for_by_bucket_and_key(self):
        self.instance().visit()
        self.assertEqual(self.s3.requests[0][0], "GET /demo/maintenance-on.html HTTP/1.1")
        self.assertIn(f"host:{self.s3.url.partition('://')[2]}", self.s3.requests[0])

    def test_tls_is_verified(self):
        self.assertTrue(shutil.which("openssl"), "openssl is missing, which makes the certificate: apt-get install openssl")
        with tempfile.TemporaryDirectory() as folder:
            certificate, issued = os.path.join(folder, "s3.pem"), os.path.join(folder, "issued.pem")
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", certificate, "-out", issued,
                 "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                check=True, capture_output=True)
            with open(issued, encoding="ascii") as source, open(certificate, "a", encoding="ascii") as target:
                target.write(source.read())
            s3 = FakeS3(certificate)
            self.addCleanup(s3.stop)
            s3.reply = page()
            for name, url, trusted, shown in [
                ("trusted", s3.url, issued, True),
                ("unknown issuer", s3.url, os.devnull, False),
                ("another name", s3.url.replace("127.0.0.1", "localhost"), issued, False),
            ]:
                with self.subTest(name):
                    instance = Instance({"AWS_ENDPOINT_URL_S3": url, "SSL_CERT_FILE": trusted, "SSL_CERT_DIR": folder})
                    self.assertEqual(instance.shows_page(), shown, instance.notes)
                    if not shown:
                        self.assertIn("CERTIFICATE_VERIFY_FAILED", instance.notes[0])

    def test_a_read_and_a_name_lookup_fit_into_the_timeout(self):
        module = self.instance().module
        self.assertLess(module.DEADLINE + 1, 5 - 1)
        with mock.patch.dict(os.environ):
            os.environ.pop("RES_OPTIONS", None)
            with mock.patch.object(os.environ, "setdefault") as setdefault:
                self.instance()
        setdefault.assert_called_once_with("RES_OPTIONS", "timeout:1 attempts:1")

    def test_nothing_heavy_is_imported(self):
        with tempfile.TemporaryDirectory() as package:
            shutil.copy(SOURCE, package)
            with open(os.path.join(package, "settings.json"), "w", encoding="utf-8") as file:
                json.dump(SETTINGS, file)
            code = "import sys; before = set(sys.modules); import maintenance; print(*set(sys.modules) - before)"
            loaded = subprocess.run(
                [sys.executable, "-Sc", code], cwd=package, capture_output=True, text=True, check=True)
        heavy = {"http.client", "urllib.request", "urllib.parse", "email", "ipaddress", "typing", "logging", "boto3"}
        self.assertEqual(heavy & set(loaded.stdout.split()), set())


if __name__ == "__main__":
    unittest.main()
