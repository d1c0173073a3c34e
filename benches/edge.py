"""Measures the edge function that ships (config/edge/maintenance.py) beside the article's boto3
handler.

    python3 benches/edge.py [--runs N] [--python PATH]

Each run is a fresh process, as a cold start is: it imports one of the two and hands it viewer
requests. S3 is a fake on loopback, in a process of its own, so no network is in the figures. Over
https, as at the edge, both check its certificate against the machine's root certificates and one of
its own; over http it is what `provision dev` sees.

import  importing the module     first   the first request     cold  both     warm  the median of
2,000 more reads   reads of S3 in 2,001 requests within one `cache` interval (boto3: in as many as
were made)

boto3 is installed into a venv under target/ if it is not there. As on Lambda, its modules come
compiled and the function does not. The runs take turns and the figures are medians; a busy machine
still shows, so look at the ratios.

On two cores, Python 3.13 and 3.11, https: cold 41 to 44 ms against 226 to 254 ms, 5.4 to 5.8 times
faster; of the 40 ms of import, 18 go into the root certificates. With http.client instead of the
socket, import took 8 ms more.
"""

import argparse
import json
import os
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SETTINGS = {
    "bucket": "demo",
    "region": "eu-west-1",
    "key": "maintenance-on.html",
    "status": 503,
    "retry_after": 600,
    "cache": 60.0,
    "allow": ["/robots.txt", "/.well-known/*"],
    "programs": ["/api/*"],
    "csp": "script-src 'self'",
    "bypass": {"cidrs": [], "cookie": "provision-bypass"},
    "site": {"rule": "folder", "root": "/index.html", "endings": [], "pages": {}},
}

FIGURES = ("import", "first", "cold", "warm")

# What Lambda's runtime has loaded before it imports a handler (json, os, logging …) is left out for
# both alike.
RUNNER = """
import sys, time
sys.path.insert(0, sys.argv[1])
module, warm = sys.argv[2], int(sys.argv[3])
class Context: function_version = "7"
def event():
    return {"Records": [{"cf": {"config": {"eventType": "viewer-request"}, "request": {
        "clientIp": "203.0.113.178", "method": "GET", "querystring": "", "uri": "/",
        "headers": {"host": [{"key": "Host", "value": "d111111abcdef8.cloudfront.net"}]}}}}]}
def timed(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result
imported, loaded = timed(lambda: __import__(module))
first, result = timed(lambda: loaded.handler(event(), Context))
later = sorted(timed(lambda: loaded.handler(event(), Context))[0] for _ in range(warm))
import json
print(json.dumps({"import": imported, "first": first, "warm": later[len(later) // 2], "shown":
"body" in result}))
"""

FAKE_S3 = """
import sys
sys.path.insert(0, sys.argv[1])
from fake_s3 import ABSENT, FakeS3, page
s3 = FakeS3(sys.argv[2] or None)
print(s3.url, flush=True)
for line in sys.stdin:
    if line == "reads\\n":
        print(len(s3.requests), flush=True)
        s3.requests = []
    else:
        s3.reply = page("<p>maintenance</p>" * 300) if line == "on\\n" else ABSENT
"""


def boto3_python(python):
    """Returns the same interpreter, with boto3."""
    version = subprocess.run(
        [python, "-V"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    venv = os.path.join(ROOT, "target", f"edge-bench-venv-{version}")
    inside = os.path.join(venv, "bin", "python3")
    if not os.path.exists(inside):
        subprocess.run([python, "-m", "venv", venv], check=True)
    if subprocess.run([inside, "-c", "import boto3"], capture_output=True).returncode:
        subprocess.run([inside, "-m", "pip", "install", "--quiet", "boto3"], check=True)
    return inside


def make_certificate(folder):
    """Returns a certificate for the fake S3, and a bundle of it and the machine's root
    certificates."""
    server, issued = os.path.join(folder, "server.pem"), os.path.join(folder, "issued.pem")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", server, "-out", issued]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    own = open(issued, encoding="ascii").read()
    with open(server, "a", encoding="ascii") as file:
        file.write(own)
    roots = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    bundle = os.path.join(folder, "bundle.pem")
    with open(bundle, "w", encoding="utf-8") as file:
        file.write(open(roots, encoding="utf-8").read() + own)
    return server, bundle


class FakeS3:
    def __init__(self, certificate):
        self.process = subprocess.Popen(
            [sys.executable, "-c", FAKE_S3, os.path.join(ROOT, "tests", "edge"), certificate],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self.process.stdout.readline().strip()

    def tell(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def reads(self):
        self.tell("reads")
        return int(self.process.stdout.readline())


def run(python, folder, module, warm, s3, bundle):
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "SSL_CERT_FILE": bundle,
        "AWS_CA_BUNDLE": bundle,
        "AWS_ENDPOINT_URL_S3": s3.url,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
    }
    command = [python, "-c", RUNNER, folder, module, str(warm)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    result = json.loads(done.stdout.splitlines()[-1])
    return {
        **result,
        "cold": result["import"] + result["first"],
        "reads": s3.reads(),
        "requests": warm + 1,
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--runs", type=int, default=15)
    arguments.add_argument("--python", default=sys.executable, help="the interpreter, for both")
    options = arguments.parse_args()
    python = boto3_python(options.python)

    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(ROOT, "config", "edge", "maintenance.py"), folder)
        shutil.copy(os.path.join(ROOT, "benches", "edge", "article.py"), folder)
        with open(os.path.join(folder, "settings.json"), "w", encoding="utf-8") as file:
            json.dump(SETTINGS, file)
        certificate, bundle = make_certificate(folder)
        version = subprocess.run([python, "-V"], capture_output=True, text=True).stdout.strip()
        print(f"{version}, median of {options.runs} runs, times in ms\n")
        print(f"{'':26}{'import':>9}{'first':>9}{'cold':>9}{'warm':>9}{'reads':>14}")
        for scheme in ("https", "http"):
            s3 = FakeS3(certificate if scheme == "https" else "")
            for switch in ("off", "on"):
                s3.tell(switch)
                runs = {"article": [], "maintenance": []}
                for _ in range(options.runs + 1):
                    for module, warm in (("article", 10), ("maintenance", 2_000)):
                        runs[module].append(run(python, folder, module, warm, s3, bundle))
                rows = []
                for module, (_, *results) in runs.items():  # the first run fills the disk's caches
                    assert all(result["shown"] == (switch == "on") for result in results), results
                    row = [
                        1e3 * statistics.median(result[name] for result in results)
                        for name in FIGURES
                    ]
                    rows.append(row)
                    import_, first, cold, warm = row
                    reads = (
                        f"{max(result['reads'] for result in results)} in {results[0]['requests']}"
                    )
                    title = f"{scheme}, {switch}, {module}"
                    print(f"{title:26}{import_:9.1f}{first:9.1f}{cold:9.1f}{warm:9.3f}{reads:>14}")
                ratios = (theirs / ours for theirs, ours in zip(*rows))
                print(
                    f"{'  times faster':26}" + "".join(f"{ratio:9.1f}" for ratio in ratios) + "\n"
                )
            s3.process.stdin.close()
            s3.process.wait()


if __name__ == "__main__":
    main()
