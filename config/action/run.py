#!/usr/bin/env python3
"""Runs `provision` for action.yml and tells GitHub how it went: log, outputs, job summary,
annotation, exit code.

Guarantees
  * The program's exit code is kept. Only 3, pending, becomes a warning, unless `pending-is-error`
    says otherwise.
  * The bypass token is masked before anything prints it, and is in neither the outputs nor the
    summary. Later steps of the same job find the link in the variable PROVISION_BYPASS_LINK.
  * No shell reads the inputs: `args` is split into words, and that is all that happens to it.
  * Text of others (AWS, the spec, file names) can neither begin a workflow command nor change the
    summary's form.
  * SIGINT, SIGTERM and SIGHUP reach the program as SIGTERM, and its end is waited for. GitHub sends
    them to a step's first process only, so action.yml has to start this one with `exec`.

Standard library only; Python 3.8 or newer. Tried without GitHub by tests/action.rs.
"""

import json
import os
import re
import secrets
import shlex
import signal
import subprocess
import sys
import threading

COMMANDS = ("apply", "plan", "destroy", "maintenance")
SWITCH = ("on", "off", "status")
FAILED, CHANGES, PENDING, USAGE, INTERRUPTED = 1, 2, 3, 64, 130
# GitHub throws a whole summary away that is larger than 1 MiB.
LIMIT = 1_000_000
# Ends of lines as any reader may see them, controls, and what turns the direction of text.
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
MARKUP = re.compile(r"([\\`*_{}\[\]<>|~#!$&@:])")

pen = threading.Lock()


def write(line):
    with pen:
        try:
            print(line, flush=True)
        except OSError:
            pass  # Nobody reads any more; the program must still come to its end.


def plain(text):
    """Returns text as one line in which GitHub finds no command: neither `::name::` at its start
    nor `##[name]` anywhere."""
    text = UNSEEN.sub(" ", str(text)).strip().replace("##[", "## [")
    return "> " + text if text.startswith("::") else text


def cell(text):
    return MARKUP.sub(r"\\\1", UNSEEN.sub(" ", str(text)).strip())


def annotate(level, text):
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    write(f"::{level} title=provision::{text}")


def append(variable, text):
    path = os.environ.get(variable)
    if not path:
        return
    try:
        with open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        annotate("warning", f"{variable} could not be written: {error}")


def assign(variable, name, value):
    """Adds `name=value` to a file of GitHub's; nobody can guess the line that ends the value."""
    end = secrets.token_hex(16)
    append(variable, f"{name}<<{end}\n{UNSEEN.sub(' ', str(value))}\n{end}\n")


def address(of):
    return f"{of['kind']} {of['name']}"


class Report:
    """What the program's documents say, put together."""

    def __init__(self):
        self.steps = {}
        self.rows = []
        self.pending = []
        self.problems = []
        self.url = self.switch = self.shows_page = ""
        self.headline = ""
        self.planned = self.changed = self.carried_out = False

    def hear(self, document):
        known = getattr(self, "hear_" + str(document.get("type")), None)
        if known:
            known(document)

    def hear_plan(self, plan):
        for change in plan["changes"]:
            self.steps[self.key(change)] = ""
        self.planned = any(change["action"] != "await" for change in plan["changes"])
        for conflict in plan["conflicts"]:
            self.refuse(
                address(conflict["address"]), "conflict", conflict["reason"], conflict["hint"]
            )
        for notice in plan["notices"]:
            self.rows.append((address(notice["address"]), "note", notice["text"], ""))

    @staticmethod
    def key(step):
        return address(step["address"]), step["action"], step["summary"]

    def hear_step(self, step):
        self.carried_out = True
        self.steps[self.key(step)] = step["state"]
        self.changed |= step["state"] == "changed" and step["action"] != "await"
        if step["state"] != "started" or step["action"] == "await":
            write(plain(f"{address(step['address'])}: {step['summary']}: {step['state']}"))

    def hear_outcome(self, outcome):
        for deferred in outcome["deferred"]:
            self.pending.append(f"{address(deferred['address'])}: {deferred['reason']}")
            self.rows.append(
                (address(deferred["address"]), "pending", deferred["reason"], "run it again later")
            )
        for failed in outcome["failed"]:
            self.refuse_fault(address(failed["address"]), failed["fault"])
        existing = outcome["existing"] or {}
        self.url = existing.get("address") or self.url
        self.switch = existing.get("switch") or self.switch

    def hear_switch(self, switch):
        self.switch = switch["state"] or ""
        sees = switch["visitors_see_page"]
        self.shows_page = "" if sees is None else str(sees).lower()
        self.headline = switch["headline"]
        self.rows.append(("now", "", self.headline, ""))
        for row in switch["rows"]:
            self.rows.append((row["name"], "", row["value"], ""))
        for note in switch["notes"]:
            self.rows.append(("note", "", note, ""))

    def hear_probe(self, probe):
        self.url = probe["url"]
        kinds = {}
        for answer in probe["answers"]:
            seen = answer["error"] or ("maintenance page" if answer["is_page"] else "site")
            kind = (
                answer["path"],
                "asked",
                f"{answer['status'] or ''} {seen}",
                answer["cache"] or "",
            )
            kinds[kind] = kinds.get(kind, 0) + 1
        self.rows += [
            (path, f"{asked} {times} times", *rest) for (path, asked, *rest), times in kinds.items()
        ]
        if not probe["as_expected"]:
            self.problems.append(f"not every visitor of {probe['url']} sees what the switch says")

    def hear_bypass(self, bypass):
        # First of all, before the link is anywhere.
        write(f"::add-mask::{bypass['token']}")
        assign("GITHUB_ENV", "PROVISION_BYPASS_LINK", bypass["link"])
        self.rows.append(
            (
                "bypass link",
                "",
                "in the variable PROVISION_BYPASS_LINK of this job's later steps",
                "",
            )
        )

    def hear_problems(self, found):
        for problem in found["problems"]:
            place = ":".join(
                str(problem[part])
                for part in ("file", "line", "column")
                if problem[part] is not None
            )
            if problem["severity"] == "error":
                self.refuse(place, "error", problem["message"], problem["fix"])
            else:
                self.rows.append(
                    (place, problem["severity"], problem["message"], problem["fix"] or "")
                )

    def hear_error(self, error):
        if "fault" in error:
            self.refuse_fault("", error["fault"])
        else:
            self.refuse("", "error", error["message"], error["hint"])

    def refuse_fault(self, what, fault):
        self.refuse(
            what, "failed", f"could not {fault['tried']}: {fault['message']}", fault["hint"]
        )

    def refuse(self, what, action, why, hint):
        self.problems.append(f"{what}: {why}" if what else why)
        self.rows.append((what, action, why, hint or ""))

    def has_changes(self, verb):
        return self.planned if verb == ["plan"] else self.changed

    def summary(self, title):
        rows = [
            (*step, state or ("not started" if self.carried_out else ""))
            for step, state in self.steps.items()
        ]
        rows += self.rows
        lines = [f"### {cell(title)}"]
        if rows:
            lines += ["", "| What | Action | Detail | Result |", "|---|---|---|---|"]
        size = sum(len(line.encode()) + 1 for line in lines) + 200
        for number, row in enumerate(rows):
            line = "| " + " | ".join(map(cell, row)) + " |"
            size += len(line.encode(errors="replace")) + 1
            if size > LIMIT:
                lines += ["", f"… and {len(rows) - number} more."]
                break
            lines.append(line)
        return "\n".join(lines) + "\n\n"


class Usage(Exception):
    """The inputs are wrong."""


def flag(name):
    value = os.environ.get(name, "")
    if value not in ("", "true", "false"):
        raise Usage(f"input `pending-is-error` is `{value}`, neither `true` nor `false`")
    return value == "true"


def command_line():
    command, switch = os.environ.get("INPUT_COMMAND", ""), os.environ.get("INPUT_SWITCH", "")
    if command not in COMMANDS:
        raise Usage(f"input `command` is `{command}`, none of {', '.join(COMMANDS)}")
    if command == "maintenance" and switch not in SWITCH:
        raise Usage(f"input `switch` is `{switch}`, none of {', '.join(SWITCH)}")
    if command != "maintenance" and switch:
        raise Usage("input `switch` belongs to `command: maintenance`")
    try:
        words = shlex.split(os.environ.get("INPUT_ARGS", ""))
    except ValueError as error:
        raise Usage(f"input `args` cannot be split into words: {error}") from None
    line = [os.environ.get("INPUT_BINARY") or "provision", command]
    line += [switch] if switch else []
    line += ["--json", "--file=" + (os.environ.get("INPUT_FILE") or "provision.yaml")]
    line += ["--yes"] if command in ("apply", "destroy") else []
    return line + words


def run(line, report):
    """Runs the program to its end and returns its exit code; `report` hears what it says."""
    child = None
    asked = []
    told = 0

    def pass_on(number=None, _frame=None):
        nonlocal told
        if number is not None:
            asked.append(number)
        while child is not None and told < len(asked):
            told += 1
            child.send_signal(signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    pipe = subprocess.PIPE
    try:
        # A session of its own: a Ctrl-C at a terminal reaches the program once, through us.
        child = subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        report.refuse("", "error", f"{line[0]} cannot be run: {error}", None)
        return FAILED
    pass_on()

    def repeat_errors():
        for text in child.stderr:
            write(plain(text))

    errors = threading.Thread(target=repeat_errors)
    errors.start()
    for text in child.stdout:
        try:
            document = json.loads(text)
            report.hear(document)
        except (ValueError, KeyError, TypeError, AttributeError):
            # Not a document that this script knows; its text may hold anything, so it is not
            # repeated.
            write("(a line that this version of the action does not understand)")
    errors.join()
    code = child.wait()
    return code if code >= 0 else 128 - code


def verdict(verb, code, report):
    if code == 0:
        words = "there are changes" if verb == ["plan"] else "done"
        return words if report.has_changes(verb) or verb[-1] == "status" else "nothing to do"
    known = {CHANGES: "there are changes", PENDING: "pending", INTERRUPTED: "interrupted"}
    return known.get(code, f"failed with exit code {code}")


def main():
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    report = Report()
    verb, is_error = [], False
    try:
        is_error = flag("INPUT_PENDING_IS_ERROR")
        line = command_line()
        verb = line[1:3] if line[1] == "maintenance" else line[1:2]
        write(plain("$ " + shlex.join(line)))
        code = run(line, report)
    except Usage as wrong:
        report.refuse("inputs", "error", str(wrong), None)
        code = USAGE
    title = " ".join(["provision", *verb])
    ended = f"{title}: {'; '.join(filter(None, [verdict(verb, code, report), report.headline]))}"
    write(plain(ended))
    append("GITHUB_STEP_SUMMARY", report.summary(ended))
    for name, value in (
        ("exit-code", code),
        ("changed", "true" if report.has_changes(verb) else "false"),
        ("pending", "true" if code == PENDING else "false"),
        ("url", report.url),
        ("switch", report.switch),
        ("visitors-see-page", report.shows_page),
    ):
        assign("GITHUB_OUTPUT", name, value)
    if code == PENDING:
        reasons = "; ".join(report.pending) or "something is not possible yet"
        annotate(
            "error" if is_error else "warning", f"{title}: pending: {reasons}; run it again later"
        )
        return PENDING if is_error else 0
    if code not in (0, CHANGES):
        annotate("error", "\n".join([ended, *report.problems[:5]]))
    return code


if __name__ == "__main__":
    sys.exit(main())
