"""What visitors get, and who is let in.

python3 -m unittest discover -s tests/edge
"""

import hashlib
import json

from fake_s3 import page
from instance import SITE, TOKEN, TOKEN_HASH, EdgeCase, header


class TheResponse(EdgeCase):
    def test_it_is_what_cloudfront_takes(self):
        self.s3.reply = page("<h1>Wartung, 保守 – ©</h1>")
        expected = {
            "status": "503",
            "statusDescription": "Service Unavailable",
            "headers": {
                "cache-control": [{"key": "Cache-Control", "value": "no-store"}],
                "content-security-policy": [
                    {"key": "Content-Security-Policy", "value": "script-src 'none'"}
                ],
                "content-type": [{"key": "Content-Type", "value": "text/html; charset=utf-8"}],
                "retry-after": [{"key": "Retry-After", "value": "600"}],
                "x-content-type-options": [{"key": "X-Content-Type-Options", "value": "nosniff"}],
                "x-provision-version": [{"key": "X-Provision-Version", "value": "7"}],
            },
            "body": "<h1>Wartung, 保守 – ©</h1>",
        }
        instance = self.instance()
        for uri in ("/", "/home.html", "/app/deep?", "/.well-knownish", "/.well-known/../x"):
            self.assertEqual(instance.visit(uri), expected, uri)
        self.assertEqual(instance.visit(method="POST"), expected)
        del expected["body"]
        self.assertEqual(instance.visit(method="HEAD"), expected)

    def test_status_204_has_no_body(self):
        self.s3.reply = page(status="204")
        self.assertNotIn("body", self.instance().visit())

    def test_the_media_type_is_html(self):
        table = [
            ("text/html", "text/html"),
            ("text/html; charset=iso-8859-1", "text/html"),
            ("", "text/html"),
            ("binary/octet-stream", "text/html"),
            ("application/xhtml+xml", "application/xhtml+xml"),
        ]
        for own, shown in table:
            with self.subTest(own):
                self.s3.reply = page(content_type=own)
                self.assertEqual(
                    header(self.instance().visit(), "content-type"), f"{shown}; charset=utf-8"
                )

    def test_people_programs_and_pages_get_what_they_can_use(self):
        html, data = "text/html,application/xhtml+xml,*/*;q=0.8", "application/json"
        table = [
            ("/", {"accept": html}, "people"),
            ("/about", {}, "people"),
            ("/old.PHP", {"accept": "*/*"}, "people"),
            ("/app.js", {"accept": "*/*"}, "page"),
            ("/logo.svg", {"accept": "image/avif,*/*"}, "page"),
            ("/app.js", {"accept": html, "sec_fetch_dest": "document"}, "people"),
            ("/hero", {"sec_fetch_dest": "image"}, "page"),
            ("/hero", {"sec_fetch_dest": "empty"}, "people"),
            ("/cart", {"accept": data}, "program"),
            ("/cart", {"accept": f"{data}, text/plain, */*"}, "program"),
            ("/cart", {"accept": f"{html},{data}"}, "people"),
            ("/app.js", {"accept": data}, "program"),
            ("/api/cart", {"accept": html}, "program"),
            ("/feed", {}, "program"),
            ("/feeds", {}, "people"),
        ]
        self.s3.reply = page("<p>soon</p>", until="2026-11-22T13:00:00Z", status="200")
        instance = self.instance()
        told = {"error": "maintenance", "until": "2026-11-22T13:00:00Z", "retry_after": 3600}
        for uri, sent, asked_by in table:
            with self.subTest(uri=uri, sent=sent):
                result = instance.visit(uri, **sent)
                self.assertEqual(header(result, "retry-after"), "3600")
                self.assertEqual(header(result, "x-content-type-options"), "nosniff")
                status = "200" if asked_by == "people" else "503"
                self.assertEqual(result["status"], status)
                if asked_by == "page":
                    self.assertNotIn("body", result)
                    self.assertNotIn("content-type", result["headers"])
                elif asked_by == "program":
                    self.assertEqual(json.loads(result["body"]), told)
                    self.assertEqual(header(result, "content-type"), "application/json")
                    self.assertNotIn("body", instance.visit(uri, method="HEAD", **sent))
                else:
                    self.assertEqual(result["body"], "<p>soon</p>")

    def test_without_an_end_a_program_is_told_none(self):
        self.s3.reply = page()
        told = json.loads(self.instance().visit("/api/x")["body"])
        self.assertEqual(told, {"error": "maintenance", "until": None, "retry_after": 600})

    def test_a_script_of_another_site_sees_the_window(self):
        self.s3.reply = page()
        instance = self.instance()
        for uri, method in [("/", "GET"), ("/api/x", "POST"), ("/app.js", "GET"), ("/", "OPTIONS")]:
            result = instance.visit(uri, method=method, origin="https://shop.example")
            self.assertEqual(result["status"], "503")
            self.assertEqual(header(result, "access-control-allow-origin"), "https://shop.example")
            self.assertEqual(header(result, "access-control-allow-credentials"), "true")
            self.assertEqual(header(result, "access-control-expose-headers"), "Retry-After")
            self.assertEqual(header(result, "vary"), "Origin")
        asks = {"origin": "https://shop.example", "access_control_request_method": "PUT"}
        result = instance.visit("/api/x", method="OPTIONS", **asks)
        self.assertEqual(result["status"], "204")
        self.assertEqual(header(result, "access-control-allow-methods"), "PUT")
        self.assertNotIn("access-control-allow-headers", result["headers"])
        asks["access_control_request_headers"] = "content-type,x-token"
        result = instance.visit("/api/x", method="OPTIONS", **asks)
        self.assertEqual(header(result, "access-control-allow-headers"), "content-type,x-token")
        self.assertNotIn("body", result)
        long = instance.visit(origin="https://" + "x" * 600)
        self.assertNotIn("access-control-allow-origin", long["headers"])
        self.assertNotIn("access-control-allow-origin", instance.visit()["headers"])

    def test_the_page_tells_the_end_where_it_has_a_place_for_it(self):
        until = "<p>Soon.<!-- provision:until  Back by {}. --></p>"
        shown = '<time datetime="2026-11-22T13:00:00Z">2026-11-22 13:00 UTC</time>'
        table = [
            (until, "2026-11-22T13:00:00Z", f"<p>Soon. Back by {shown}.</p>"),
            (until, None, until),
            ("<p>Soon.</p>", "2026-11-22T13:00:00Z", "<p>Soon.</p>"),
            ("<!-- provision:until {}", "2026-11-22T13:00:00Z", "<!-- provision:until {}"),
        ]
        for html, end, expected in table:
            with self.subTest(html=html, end=end):
                self.s3.reply = page(html, **({"until": end} if end else {}))
                self.assertEqual(self.instance().visit()["body"], expected)

    def test_a_page_that_does_not_fit_is_replaced(self):
        overhead = (
            sum(
                map(
                    len,
                    [
                        "cache-control",
                        "no-store",
                        "content-security-policy",
                        "script-src 'none'",
                        "content-type",
                        "text/html; charset=utf-8",
                        "retry-after",
                        "600",
                        "x-content-type-options",
                        "nosniff",
                        "x-provision-version",
                        "7",
                    ],
                )
            )
            + 6 * 4
        )
        most = 40_960 - overhead
        table = [
            ("at the limit", "x" * most, False),
            ("one over", "x" * (most + 1), True),
            ("at the limit, in bytes", "é" * (most // 2), False),
            ("over, in bytes", "é" * (most // 2 + 1), True),
            ("far over", "x" * 1_000_000, True),
            ("Latin-1", "Wartung für Sie".encode("latin-1"), True),
            ("gzip", b"\x1f\x8b\x08\x00", True),
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
            ([f"provision-bypass={TOKEN}"], True),
            ([f"a=b; provision-bypass={TOKEN};c=d"], True),
            (["a=b", f"provision-bypass={TOKEN}"], True),
            ([f"provision-bypass=no; provision-bypass={TOKEN}"], True),
            (["provision-bypass=wrong"], False),
            (["provision-bypass="], False),
            (["provision-bypass"], False),
            ([f"xprovision-bypass={TOKEN}"], False),
            ([f"provision-bypass={TOKEN_HASH}"], False),
            (["provision-bypass=\ud800é"], False),
            ([f"other={TOKEN}"], False),
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
            ("/", given, "/"),
            ("/", f"{given}&{given}", "/"),
            ("/home.html", f"a=1&{given}&b=%20", "/home.html?a=1&b=%20"),
            ("//evil.example/x", given, "/evil.example/x"),
            ("/\\evil.example", given, "/evil.example"),
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
                self.assertEqual(
                    attributes, ["Path=/", "Max-Age=43200", "Secure", "HttpOnly", "SameSite=Lax"]
                )
        for query in (
            "provision-bypass=wrong",
            "provision-bypass",
            "provision-bypass=",
            f"other={TOKEN}",
        ):
            with self.subTest(query):
                self.assertTrue(instance.shows_page(query=query))

    def test_addresses_let_in(self):
        table = [
            ("203.0.113.0", True),
            ("203.0.113.255", True),
            ("203.0.114.0", False),
            ("2001:db8:1::42", True),
            ("2001:db8:2::", False),
            ("198.51.100.9", True),
        ]
        self.s3.reply = page()
        cidrs = ["203.0.113.7/24", "nonsense", "2001:db8:1::/48", "198.51.100.9/32"]
        instance = self.instance(bypass={"cidrs": cidrs, "cookie": "provision-bypass"})
        for client, let_in in table:
            with self.subTest(client):
                self.assertEqual(instance.shows_page(client=client), not let_in)
        self.assertEqual(instance.notes, ["provision: ignored cidr 'nonsense'"])
