"""When visitors get the page, table by table.

python3 -m unittest discover -s tests/edge
"""

import json
import os
from unittest import mock

from fake_s3 import ABSENT, answer, page
from instance import NOON, SITE, EdgeCase, header


class TheSwitch(EdgeCase):
    def test_only_a_page_that_s3_confirms_is_shown(self):
        half = page()[:-5]
        chunked = page().replace(
            b"Content-Length: 20\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n14\r\n"
        )
        chunked += b"\r\n0\r\n\r\n"
        table = [
            ("present", page(), True, []),
            ("present, chunked", chunked, True, []),
            ("present, closing", answer(200, "x", close=True), True, []),
            ("absent", ABSENT, False, []),
            ("absent, with a length", answer(404, b"gone"), False, []),
            ("denied", answer(403, "AccessDenied"), False, ["403 AccessDenied"]),
            ("wrong region", answer(301, "PermanentRedirect"), False, ["301 PermanentRedirect"]),
            (
                "temporary redirect",
                answer(307, b"", [("Location", "http://127.0.0.1:1/")]),
                False,
                ["307"],
            ),
            ("slow down", answer(503, "SlowDown"), False, ["503 SlowDown"]),
            ("broken", answer(500, "InternalError"), False, ["500 InternalError"]),
            ("no content", answer(204), False, ["204"]),
            ("unmodified, unasked", answer(304), False, ["304"]),
            ("garbage", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", False, ["not HTTP"]),
            (
                "another protocol",
                b"RTSP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
                False,
                ["not HTTP"],
            ),
            ("endless garbage", b"x" * 100_000, False, ["not HTTP"]),
            (
                "bad length",
                b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
                False,
                ["ValueError"],
            ),
            ("no length", b"HTTP/1.1 200 OK\r\n\r\n", False, ["ValueError"]),
            (
                "bad chunk",
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                False,
                ["ValueError"],
            ),
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
            ("silent", [60, page()]),
            ("late", [2, page()]),
            ("stuck", [page()[:-5], 60]),
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
        with mock.patch.object(
            instance.module, "tokens", side_effect=RuntimeError("planted\nin two lines")
        ):
            self.assertEqual([instance.visit(), instance.visit()], [SITE, SITE])
        self.assertEqual(instance.notes, ["provision: RuntimeError: planted in two lines"])

    def test_s3_is_read_once_per_interval_whatever_it_answers(self):
        for name, reply in [
            ("on", page()),
            ("off", ABSENT),
            ("denied", answer(403, "AccessDenied")),
        ]:
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
        for second, reply in [
            (0, ABSENT),
            (1, page()),
            (5, page()),
            (6, ABSENT),
            (10, ABSENT),
            (15, page("new")),
        ]:
            self.s3.reply = reply
            instance.now = NOON + second
            seen.append(instance.shows_page())
        self.assertEqual(seen, [False, False, True, True, False, True])

    def test_the_last_answer_stands_in_for_a_minute(self):
        fault = answer(500, "InternalError")
        instance = self.instance()
        seen = []
        for second, reply in [
            (0, page()),
            (5, fault),
            (59, fault),
            (61, fault),
            (70, fault),
            (75, page()),
        ]:
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
                self.assertFalse(
                    [line for line in self.s3.requests[-1] if line.startswith("if-none-match")]
                )

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
            (whole, -1, None),
            (whole, 0, "3600"),
            (whole, 3599.5, "1"),
            (whole, 3600, None),
            ({"until": "2026-11-22T13:00:00Z"}, -7200, "10800"),
            ({"from": "2026-11-22T12:00:00Z"}, 90_000, "600"),
            ({"from": "2026-11-22T13:00:00+01:00"}, -1, None),
            ({"from": "2026-11-22T13:00:00+01:00"}, 0, "600"),
        ]
        for metadata, second, retry_after in table:
            with self.subTest(metadata=metadata, second=second):
                self.s3.reply = page(**metadata)
                instance = self.instance(cache=1e9)
                instance.now = NOON - 9000
                instance.visit()
                instance.now = NOON + second
                result = instance.visit()
                self.assertEqual(
                    result if result == SITE else header(result, "retry-after"), retry_after or SITE
                )
                self.assertEqual(instance.notes, [])

    def test_metadata_sets_status_and_retry_after(self):
        table = [
            ({}, "503", "600"),
            ({"status": "200"}, "200", "600"),
            ({"status": "599"}, "599", "600"),
            ({"retry_after": "90"}, "503", "90"),
            ({"retry_after": "0"}, "503", "0"),
            ({"retry_after": "90", "until": "2026-11-22T12:00:30Z"}, "503", "30"),
        ]
        for metadata, status, retry_after in table:
            with self.subTest(metadata):
                self.s3.reply = page(**metadata)
                instance = self.instance()
                result = instance.visit()
                self.assertEqual(
                    (result["status"], header(result, "retry-after")), (status, retry_after)
                )
                self.assertEqual(instance.notes, [])

    def test_moments_are_read_as_the_command_line_reads_them(self):
        with open(
            os.path.join(os.path.dirname(__file__), "moments.json"), encoding="utf-8"
        ) as file:
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
            {"status": "199"},
            {"status": "600"},
            {"status": "OK"},
            {"retry_after": "-5"},
            {"retry_after": "10m"},
            {"bypass": "xyz"},
        ]:
            with self.subTest(metadata):
                self.s3.reply = page(**metadata)
                instance = self.instance()
                result = instance.visit()
                self.assertEqual((result["status"], header(result, "retry-after")), ("503", "600"))
                instance.now += 5
                instance.visit()
                self.assertEqual(len(instance.notes), 1, instance.notes)

    def test_a_window_whose_moments_cannot_be_read_is_not_shown(self):
        for metadata in [
            {"from": "tomorrow"},
            {"until": "2020-01-01T00:00:00"},
            {"until": "2020-01-01"},
            {"until": ""},
        ]:
            with self.subTest(metadata):
                self.s3.reply = page(**metadata)
                instance = self.instance()
                self.assertEqual(instance.visit(), SITE)
                self.assertEqual(len(instance.notes), 1, instance.notes)
