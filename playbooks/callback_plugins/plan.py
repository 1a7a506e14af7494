"""Callback for `make plan`: a rehearsal of playbooks told as a list of objects."""

from __future__ import annotations

from typing import Any

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as DefaultCallback

DOCUMENTATION = """
name: plan
type: stdout
short_description: What a rehearsal would create, change and destroy, object by object
description:
  - Of each task that would change something, one line for each object, with C(+) to create,
    C(~) to change or C(-) to destroy it; of each debug task, what it says; and every error.
  - Whether an object is there already is known from the task that lists the project's objects
    (tagged_objects).
extends_documentation_fragment:
  - default_callback
  - result_format_callback
"""

# The words for what modules make; others go by the module's own name.
KINDS = {
    "ec2_vpc_net": "vpc",
    "ec2_vpc_subnet": "subnet",
    "ec2_vpc_igw": "internet-gateway",
    "ec2_vpc_route_table": "route-table",
    "ec2_vpc_nat_gateway": "nat-gateway",
    "ec2_eip": "elastic-ip",
    "ec2_security_group": "security-group",
    "ec2_instance": "instance",
    "ec2_key": "key-pair",
    "ec2_eni": "network-interface",
    "ec2_vol": "volume",
    "ec2_snapshot": "snapshot",
    "ec2_tag": "tags",
    "elb_application_lb": "load-balancer",
    "elb_target_group": "target-group",
    "autoscaling_group": "auto-scaling-group",
    "openssh_keypair": "SSH key",
}
GONE = ("absent", "terminated")
SIGNS = {
    "create": ("+", constants.COLOR_OK),
    "change": ("~", constants.COLOR_CHANGED),
    "destroy": ("-", constants.COLOR_ERROR),
}


def kind_of(action: str) -> str:
    """Give the word for what a module makes."""
    module = action.rpartition(".")[2]
    return KINDS.get(module, module.removeprefix("ec2_").replace("_", "-"))


def name_of(arguments: dict[str, Any], item: object) -> str:
    """Give an object's name from a module's arguments, or what the loop was at."""
    tags = arguments.get("tags") or {}
    for name in (tags.get("Name"), arguments.get("name"), arguments.get("path")):
        if name:
            return str(name)
    if isinstance(item, dict):
        item = item.get("label") or item.get("name") or item.get("id")
    if item:
        return str(item)
    ids = arguments.get("instance_ids") or [v for k, v in arguments.items() if k.endswith("_id")]
    return ", ".join(str(i) for i in ids if i)


class CallbackModule(DefaultCallback):  # type: ignore[misc]
    """Prints the list; errors as Ansible does by default."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "plan"

    def __init__(self) -> None:
        """Begin with nothing known and nothing counted."""
        super().__init__()
        self._there: set[tuple[str, str]] = set()
        self._counts = dict.fromkeys(SIGNS, 0)

    def v2_runner_on_ok(self, result: Any) -> None:
        """Print what a task says, or what it would change."""
        outcome, action = result.result, result.task.action
        if "tagged_objects" in action:
            self._there = {
                (found["kind"], found["label"].split()[1]) for found in outcome["objects"]
            }
        if "results" not in outcome:
            self._tell(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Print what one turn of a loop would change."""
        self._tell(result)

    def _tell(self, result: Any) -> None:
        outcome, action = result.result, result.task.action
        if action.endswith("debug"):
            self._say(outcome.get("msg", ""), bool(outcome.get("changed")))
        elif outcome.get("changed"):
            arguments = outcome.get("invocation", {}).get("module_args", {})
            self._object(kind_of(action), arguments, outcome.get("item"))

    def _say(self, message: str | list[str], changed: bool) -> None:
        """Print a message; one that stands for a change is an instance that cannot be yet."""
        if changed:
            self._line("create", f"instance {message}")
            return
        for line in [message] if isinstance(message, str) else message:
            self._display.display(str(line))

    def _object(self, kind: str, arguments: dict[str, Any], item: object) -> None:
        name = name_of(arguments, item)
        if arguments.get("state") in GONE:
            self._line("destroy", f"{kind} {name}")
        elif kind in ("file", "copy", "template", "SSH key"):
            where = arguments.get("dest") or name
            self._line("create", f"on this controller: {where}")
        else:
            self._line("change" if (kind, name) in self._there else "create", f"{kind} {name}")

    def _line(self, verb: str, what: str) -> None:
        sign, color = SIGNS[verb]
        self._counts[verb] += 1
        self._display.display(f"  {sign} {what}", color=color)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """End with how many of each."""
        if not stats.failures and not stats.dark:
            told = ", ".join(f"{count} to {verb}" for verb, count in self._counts.items())
            self._display.display(f"\n{told}. Nothing has been changed.")

    def _quiet(self, *_arguments: Any, **_named: Any) -> None:
        """Print nothing."""

    v2_playbook_on_play_start = _quiet
    v2_playbook_on_task_start = _quiet
    v2_playbook_on_handler_task_start = _quiet
    v2_playbook_on_include = _quiet
    v2_playbook_on_start = _quiet
    v2_playbook_on_no_hosts_matched = _quiet
    v2_runner_on_skipped = _quiet
    v2_runner_item_on_skipped = _quiet
    v2_runner_on_start = _quiet
    v2_runner_retry = _quiet
    v2_on_file_diff = _quiet
