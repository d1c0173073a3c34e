"""Which page a path means while the switch is off.

python3 -m unittest discover -s tests/edge
"""

from fake_s3 import page
from instance import TOKEN, TOKEN_HASH, EdgeCase, header


class ThePage(EdgeCase):
    def reach(self, instance, uri, **visit):
        """Returns the path under which the site is asked, or where the visitor is sent to."""
        result = instance.reach(uri, **visit)
        if isinstance(result, str):
            return result
        self.assertEqual((result["status"], header(result, "cache-control")), ("308", "no-store"))
        self.assertNotIn("body", result)
        return "→ " + header(result, "location")

    def test_it_is_where_the_site_has_its_pages(self):
        same = ["/", "/style.css", "/about.html", "/docs/index.html", "/a.b/c.css", "/%zz.css"]
        table = {
            "none": {"/about": "/about", "/docs/": "/docs/"},
            "folder": {
                "/docs/": "/docs/index.html",
                "/docs/a/": "/docs/a/index.html",
                "/about": "→ /about/",
                "/v1.2/about": "→ /v1.2/about/",
                "/caf%C3%A9/": "/caf%C3%A9/index.html",
                "/caf\u00e9/": "/caf%C3%A9/index.html",
                "/a%20b": "→ /a%20b/",
                "//evil.example": "//evil.example",
                "//evil": "→ /evil/",
                "/\\evil": "→ /%5Cevil/",
                "/%0d%0aevil": "→ /%0D%0Aevil/",
                "/%zz": "/%zz",
                "/%ff": "/%ff",
                "/.well-known/acme-challenge/x": "/.well-known/acme-challenge/x",
            },
            "file": {
                "/about": "/about.html",
                "/docs/a": "/docs/a.html",
                "/about/": "→ /about",
                "//evil/": "→ /evil",
                "/.well-known/x": "/.well-known/x",
            },
            "root": {
                "/about": "/home.html",
                "/docs/a/": "/home.html",
                "/.well-known/x": "/.well-known/x",
                "/users/j.doe": "/home.html",
                "/docs/v1.2": "/home.html",
                "/app.JS": "/app.JS",
            },
        }
        for rule, expected in table.items():
            site = {"rule": rule, "root": "/home.html", "endings": ["css", "html", "js"], "pages": {}}
            instance = self.instance(site=site)
            for uri, reached in {**dict(zip(same, same)), **expected}.items():
                with self.subTest(rule=rule, uri=uri):
                    self.assertEqual(self.reach(instance, uri), reached)
                    self.assertEqual(self.reach(instance, uri, method="HEAD"), reached)
                    self.assertEqual(self.reach(instance, uri, method="POST"), uri)
            self.assertEqual(instance.notes, [])

    def test_pages_beside_the_rule_have_their_names(self):
        pages = {
            "/LICENSE": "/LICENSE",
            "/docs/v1.2": "/docs/v1.2/",
            "/docs/v1.2/": "/docs/v1.2/index.html",
            "/über uns": "/über uns.html",
        }
        expected = {
            "/LICENSE": "/LICENSE",
            "/docs/v1.2": "→ /docs/v1.2/",
            "/docs/v1.2/": "/docs/v1.2/index.html",
            "/%C3%BCber%20uns": "/%C3%BCber%20uns.html",
            "/other": "→ /other/",
        }
        site = {"rule": "folder", "root": "/index.html", "pages": pages}
        instance = self.instance(site=site)
        for uri, reached in expected.items():
            with self.subTest(uri):
                self.assertEqual(self.reach(instance, uri), reached)

    def test_what_was_asked_goes_along(self):
        site = {"rule": "folder", "root": "/index.html", "pages": {}}
        self.assertEqual(self.reach(self.instance(site=site), "/a", query="b=%20"), "→ /a/?b=%20")

    def test_in_a_window_it_is_for_those_who_are_let_in(self):
        self.s3.reply = page(bypass=TOKEN_HASH)
        site = {"rule": "folder", "root": "/index.html", "pages": {}}
        instance = self.instance(site=site, allow=["/robots.txt", "/open/*"])
        self.assertTrue(instance.shows_page(uri="/docs/"))
        let_in = {"cookie": [f"provision-bypass={TOKEN}"]}
        self.assertEqual(self.reach(instance, "/docs/", **let_in), "/docs/index.html")
        self.assertEqual(self.reach(instance, "/open/"), "/open/index.html")
