# Lints policies, one a line, with parliament: each action of each statement alone, because it gives
# a statement up at the first action that it does not know.
import importlib.util
import json
import pathlib
import sys
import types


def resource_filename(package, name):
    return str(pathlib.Path(importlib.util.find_spec(package).origin).parent / name)


# Of setuptools parliament uses this alone, and new versions do not have it.
sys.modules["pkg_resources"] = types.SimpleNamespace(resource_filename=resource_filename)

import parliament
from parliament.statement import expand_action, get_privilege_info, is_condition_key_match

# What takes several actions to see.
TOGETHER = ("DUPLICATE_SID", "RESOURCE_POLICY_PRIVILEGE_ESCALATION")
TAGS = ("aws:RequestTag/", "aws:ResourceTag/", "aws:TagKeys")


def findings(policy):
    for finding in parliament.analyze_policy_string(json.dumps(policy)).findings:
        details = finding.detail if isinstance(finding.detail, list) else [finding.detail]
        for detail in details:
            yield finding.issue, json.dumps(detail)


def of_tags(name, condition):
    """Parliament takes these keys for global ones, and does not ask whether an action knows them."""
    for key in {key for keys in condition.values() for key in keys if key.startswith(TAGS)}:
        for action in expand_action(name):
            known = get_privilege_info(action["service"], action["action"])
            kinds = {kind["resource_type"].rstrip("*") for kind in known["resource_types"]}
            resources = [one for one in known["service_resources"] if one["resource"] in kinds]
            keys = [key for one in known["resource_types"] + resources for key in one["condition_keys"]]
            if not any(is_condition_key_match(one, key) for one in keys):
                yield "TAG_UNKNOWN_TO_ACTION", key


for line in sys.stdin:
    policy = json.loads(line)
    lines = {(issue, "", detail) for issue, detail in findings(policy) if issue in TOGETHER}
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            alone = {"Version": policy["Version"], "Statement": [{**statement, "Action": [action]}]}
            found = [(issue, detail) for issue, detail in findings(alone) if issue not in TOGETHER]
            if not any(issue in ("UNKNOWN_ACTION", "UNKNOWN_PREFIX") for issue, _ in found):
                found += of_tags(action, statement.get("Condition", {}))
            lines |= {(issue, action, detail) for issue, detail in found}
    for line in sorted(lines):
        print(json.dumps(line))
