"""S3 as the edge function sees it: one object behind a loopback port, and every way in which that
can go wrong.

`reply` is what every request is answered with: bytes, or a list of bytes and pauses, a number of
seconds each. A pause ends early when the test does.
"""

import socketserver
import ssl
import threading


def answer(status, body=b"", headers=(), close=False):
    """Returns an HTTP answer; errors are chunked and have S3's XML, as from S3."""
    lines = [
        f"HTTP/1.1 {status} Whatever",
        "Server: AmazonS3",
        *(f"{name}: {value}" for name, value in headers),
    ]
    if isinstance(body, str) and status not in (200, 304):
        xml = (
            f"<?xml version='1.0'?><Error><Code>{body}</Code><Message>m</Message></Error>".encode()
        )
        lines += ["Content-Type: application/xml", "Transfer-Encoding: chunked"]
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(xml), xml)
    elif status != 304:
        body = body.encode() if isinstance(body, str) else body
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + body


def page(
    html="<h1>maintenance</h1>",
    etag='"1"',
    modified="Sun, 22 Nov 2026 20:00:00 GMT",
    date=None,
    **metadata,
):
    """Returns the object under the on-key: the switch is on. `content_type` is the object's own."""
    headers = [
        ("ETag", etag),
        ("Content-Type", metadata.pop("content_type", "text/html; charset=utf-8")),
    ]
    headers += [("Last-Modified", modified)] if modified else []
    headers += [("Date", date)] if date else []
    headers += [
        (f"x-amz-meta-provision-{name.replace('_', '-')}", value)
        for name, value in metadata.items()
    ]
    return answer(200, html, headers)


ABSENT = answer(404, "NoSuchKey")


class Visit(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        self.server.connections += 1
        while head := self.read_head():
            self.server.requests.append(head)
            reply = self.server.reply
            for piece in reply if isinstance(reply, list) else [reply]:
                if isinstance(piece, bytes):
                    self.wfile.write(piece)
                else:
                    self.server.released.wait(piece)
            if self.server.hang_up:
                return

    def read_head(self):
        lines = []
        while line := self.rfile.readline().decode("latin-1").strip():
            lines.append(line)
        return lines


class FakeS3(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Visit)
        self.reply = ABSENT
        self.hang_up = False
        self.requests = []
        self.connections = 0
        self.released = threading.Event()
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def get_request(self):
        stream, address = super().get_request()
        return (self.tls.wrap_socket(stream, server_side=True) if self.tls else stream), address

    def handle_error(self, request, client_address):
        pass  # a function that hangs up early is what some tests are about

    def stop(self):
        self.released.set()
        self.shutdown()
        self.server_close()
