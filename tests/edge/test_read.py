"""How the function reads S3.

python3 -m unittest discover -s tests/edge
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from unittest import mock

from fake_s3 import FakeS3, page
from instance import ENVIRONMENT, NOON, SETTINGS, SOURCE, EdgeCase, Instance


class TheRead(EdgeCase):
    def test_the_signature_is_what_botocore_computes(self):
        """Computed once by botocore 1.44.5, S3SigV4Auth."""
        instance = self.instance(key="ops/on now é+.html")
        instance.module.HOST = "demo.s3.eu-west-1.amazonaws.com"
        instance.module.PATH = instance.module.PATH.removeprefix("demo/")
        with mock.patch.dict(os.environ, ENVIRONMENT):
            lines = instance.module.signed_request(NOON, None).decode().split("\r\n")
        self.assertEqual(lines[0], "GET /ops/on%20now%20%C3%A9%2B.html HTTP/1.1")
        self.assertIn("x-amz-security-token:session", lines)
        self.assertTrue(
            lines[-3].startswith(
                "authorization:AWS4-HMAC-SHA256 "
                "Credential=AKIDEXAMPLE/20261122/eu-west-1/s3/aws4_request, "
                "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
            )
        )
        signature = "77cac3b1d6b9d7d94989351b8d5c1c18d192655cba6b3d7b5eaa3866263864c6"
        self.assertTrue(lines[-3].endswith(f"Signature={signature}"), lines[-3])

    def test_where_the_object_is(self):
        table = [
            ({}, "demo", ("https", "demo.s3.eu-west-1.amazonaws.com", 443, "maintenance-on.html")),
            (
                {},
                "my.site",
                ("https", "s3.eu-west-1.amazonaws.com", 443, "my.site/maintenance-on.html"),
            ),
            (
                {"AWS_ENDPOINT_URL": "http://127.0.0.1:9000/"},
                "demo",
                ("http", "127.0.0.1", 9000, "demo/maintenance-on.html"),
            ),
            (
                {"AWS_ENDPOINT_URL_S3": "https://minio.test", "AWS_ENDPOINT_URL": "http://no"},
                "demo",
                ("https", "minio.test", 443, "demo/maintenance-on.html"),
            ),
            (
                {"AWS_ENDPOINT_URL_S3": "http://[::1]:9000"},
                "demo",
                ("http", "::1", 9000, "demo/maintenance-on.html"),
            ),
            (
                {"AWS_ENDPOINT_URL_S3": "http://[::1]"},
                "demo",
                ("http", "::1", 80, "demo/maintenance-on.html"),
            ),
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
        self.assertTrue(
            shutil.which("openssl"),
            "openssl is missing, which makes the certificate: apt-get install openssl",
        )
        with tempfile.TemporaryDirectory() as folder:
            certificate, issued = os.path.join(folder, "s3.pem"), os.path.join(folder, "issued.pem")
            command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
            names = ["-addext", "subjectAltName=IP:127.0.0.1"]
            files = ["-keyout", certificate, "-out", issued]
            subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
            with (
                open(issued, encoding="ascii") as source,
                open(certificate, "a", encoding="ascii") as target,
            ):
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
                    instance = Instance(
                        {
                            "AWS_ENDPOINT_URL_S3": url,
                            "SSL_CERT_FILE": trusted,
                            "SSL_CERT_DIR": folder,
                        }
                    )
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
            code = (
                "import sys; before = set(sys.modules); import maintenance; "
                "print(*set(sys.modules) - before)"
            )
            loaded = subprocess.run(
                [sys.executable, "-Sc", code],
                cwd=package,
                capture_output=True,
                text=True,
                check=True,
            )
        heavy = {
            "http.client",
            "urllib.request",
            "urllib.parse",
            "email",
            "ipaddress",
            "typing",
            "logging",
            "boto3",
        }
        self.assertEqual(heavy & set(loaded.stdout.split()), set())
