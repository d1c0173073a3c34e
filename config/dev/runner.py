"""Runs one Lambda@Edge function the way Lambda's Python runtime does, for `provision dev`.

Started as `python3 -c <this text> HANDLER MEMORY_MIB TIMEOUT_SECONDS` in the package's folder.
Frames on the channel are a 4-byte big-endian length and that many bytes. In: {"id", "arn",
"timeoutMs", "event"}. Out: one tag byte, then I               the function is loaded, or R +
payload     the result, byte for byte what Lambda would hand to CloudFront, or E + text        the
stack trace of what the function (or the marshalling of its result) threw. The end of standard input
is the end of this process.
"""

import json
import logging
import os
import signal
import sys
import time

# The function owns the names stdin and stdout: its prints belong in the log, and must never look
# like a reply. os.dup gives descriptors that child processes of the function do not inherit.
_requests = os.fdopen(os.dup(0), "rb")
_replies = os.fdopen(os.dup(1), "wb")
_null = os.open(os.devnull, os.O_RDONLY)
os.dup2(_null, 0)
os.close(_null)
os.dup2(2, 1)
sys.stdout.reconfigure(line_buffering=True, encoding="utf-8")
sys.stderr.reconfigure(encoding="utf-8")


class _Log(logging.Handler):
    """Lambda gives the root logger a handler before the function is loaded, so its own basicConfig
    does nothing."""

    request_id = ""

    def emit(self, record):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        moment = f"{stamp}.{int(record.msecs):03d}Z"
        line = f"[{record.levelname}]\t{moment}\t{self.request_id}\t{record.getMessage()}"
        if record.exc_info:
            line += "\n" + logging.Formatter().formatException(record.exc_info)
        print(line, file=sys.stderr, flush=True)


class Context:
    """What a function reads from its second argument."""

    def __init__(self, request):
        self.aws_request_id = request["id"]
        self.invoked_function_arn = request["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = "/aws/lambda/" + self.function_name
        self.log_stream_name = "provision-dev"
        self.identity = None
        self.client_context = None
        self._end = time.monotonic() + request["timeoutMs"] / 1000

    def get_remaining_time_in_millis(self):
        return max(0, int((self._end - time.monotonic()) * 1000))


def _send(tag, payload=b""):
    _replies.write((len(payload) + 1).to_bytes(4, "big") + tag + payload)
    _replies.flush()


def _receive():
    head = _requests.read(4)
    if len(head) < 4:
        return None
    return json.loads(_requests.read(int.from_bytes(head, "big")))


def _foreign(value):
    """What simplejson, which Lambda's runtime uses, knows beyond the standard library: bytes are
    UTF-8 text."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if type(value).__name__ == "Decimal":
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _marshal(result):
    if isinstance(result, bytes):  # sent untouched, as application/unknown
        return result
    try:
        text = json.dumps(result, ensure_ascii=False, default=_foreign)
    except (
        TypeError
    ):  # perhaps for a key of bytes, which is rare: the usual result is not walked through for it
        text = json.dumps(_with_text_keys(result), ensure_ascii=False, default=_foreign)
    return text.encode("utf-8")


def _with_text_keys(value):
    if isinstance(value, dict):
        text = {key: key.decode("utf-8") for key in value if isinstance(key, bytes)}
        return {text.get(key, key): _with_text_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_text_keys(item) for item in value]
    return value


def _trace(error, frames_to_hide):
    import traceback  # only on the unhappy path: cold start counts

    frames = error.__traceback__
    for _ in range(frames_to_hide):
        frames = frames.tb_next if frames and frames.tb_next else frames
    return "".join(traceback.format_exception(type(error), error, frames)).encode(
        "utf-8", "backslashreplace"
    )


def _limit_memory(mebibytes):
    """RLIMIT_DATA counts what is written, not what is reserved, so it is close to Lambda's idea of
    memory used."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (mebibytes << 20, mebibytes << 20))
    except (ImportError, ValueError, OSError):
        pass  # not on this system: run without a limit rather than not at all


def _load(handler):
    import importlib

    sys.path[0] = os.getcwd()
    module, _, function = handler.rpartition(".")
    return getattr(importlib.import_module(module.replace("/", ".")), function)


def main(handler, memory, timeout):
    log = _Log()
    logging.getLogger().addHandler(log)
    _limit_memory(int(memory))
    try:
        function = _load(handler)
    except Exception as error:
        _send(b"E", _trace(error, 2))
        return 1
    _send(b"I")
    # The parent kills a function that takes too long. Should the parent itself have been killed,
    # the alarm does it.
    grace = int(timeout) + 1
    alarm = getattr(signal, "alarm", lambda seconds: None)
    while (request := _receive()) is not None:
        log.request_id = request["id"]
        alarm(grace)
        try:
            result = function(request["event"], Context(request))
        except Exception as error:
            _send(b"E", _trace(error, 1))
        else:
            try:
                payload = _marshal(result)
            except Exception as error:
                _send(
                    b"E",
                    b"[ERROR] Runtime.MarshalError: Unable to marshal response: "
                    + _trace(error, 9),
                )
            else:
                _send(b"R", payload)
        alarm(0)
        sys.stdout.flush()
    return 0


sys.exit(main(*sys.argv[1:4]))
