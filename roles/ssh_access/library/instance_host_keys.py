#!/usr/bin/python
"""Ansible module: the SSH host keys that new EC2 instances print on their consoles."""

from __future__ import annotations

import base64
import binascii
import re
from contextlib import suppress
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

with suppress(ImportError):  # AnsibleAWSModule says what is missing.
    from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: instance_host_keys
short_description: SSH host keys of EC2 instances, from their console output
description:
  - cloud-init prints a new machine's public host keys on the console. Read through AWS's API they
    are what AWS vouches for, unlike a key that the network offers.
  - Reads only; the same in check mode. An instance whose console shows no keys (yet) is in
    RV(missing), so that the task can be repeated until there is none.
options:
  instance_ids:
    description: The instances to read.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Wait for the host keys
  instance_host_keys:
    instance_ids: [i-0123456789abcdef0]
  register: host_keys
  retries: 60
  delay: 5
  until: not host_keys.missing
"""

RETURN = r"""
lines:
  description:
    - Lines for a known_hosts file in which each host goes by its instance id (C(HostKeyAlias)).
  returned: always
  type: list
  elements: str
  sample: ["i-0123456789abcdef0 ssh-ed25519 AAAAC3Nz..."]
missing:
  description: Instances whose console shows no keys yet.
  returned: always
  type: list
  elements: str
"""

BLOCK = re.compile(
    r"-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL
)
KEY = re.compile(r"\b(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+={0,2})")


def is_whole(kind: str, key: str) -> bool:
    """Say whether a key is complete.

    It is base64 of fields, each after its length, and the first is its kind (RFC 4253, 6.6).
    """
    try:
        blob = base64.b64decode(key, validate=True)
    except binascii.Error:
        return False
    fields: list[bytes] = []
    while blob:
        size = int.from_bytes(blob[:4], "big")
        field, blob = blob[4 : 4 + size], blob[4 + size :]
        if len(field) != size:
            return False
        fields.append(field)
    return len(fields) > 1 and fields[0] == kind.encode()


def host_keys(console: str) -> list[str]:
    """Give the keys (``kind base64``) of the last complete block in a console's output.

    Other lines may stand between; a key that one of them has broken is left out.
    """
    blocks = BLOCK.findall(console)
    if not blocks:
        return []
    return sorted({f"{kind} {key}" for kind, key in KEY.findall(blocks[-1]) if is_whole(kind, key)})


def console_output(client: Any, instance_id: str) -> str:
    """Read a console: as it is now where the machine can (Nitro), else as AWS has kept it."""
    try:
        answer = client.get_console_output(InstanceId=instance_id, Latest=True, aws_retry=True)
    except ClientError as error:
        if error.response["Error"]["Code"] != "UnsupportedOperation":
            raise
        answer = client.get_console_output(InstanceId=instance_id, aws_retry=True)
    return str(answer.get("Output", ""))


def main() -> None:
    """Read the consoles and hand the keys to Ansible."""
    module = AnsibleAWSModule(
        argument_spec={"instance_ids": {"type": "list", "elements": "str", "required": True}},
        supports_check_mode=True,
    )
    client = module.client("ec2", retry_decorator=AWSRetry.jittered_backoff())
    lines: list[str] = []
    missing: list[str] = []
    for instance_id in module.params["instance_ids"]:
        try:
            keys = host_keys(console_output(client, instance_id))
        except (BotoCoreError, ClientError) as error:
            module.fail_json_aws(error, msg=f"Cannot read the console output of {instance_id}")
        lines += [f"{instance_id} {key}" for key in keys]
        if not keys:
            missing.append(instance_id)
    module.exit_json(changed=False, lines=lines, missing=missing)


if __name__ == "__main__":
    main()
