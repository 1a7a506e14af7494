"""An AWS of moto in a process of its own.

``python -m tests.aws.fake_aws`` prints its address and serves until its standard input ends. It has
the images of amis.json, and consoles that show SSH host keys as cloud-init prints them, first late.
The calls that playbooks make are written to the file that $FAKE_AWS_CALLS names. IAM's simulation
allows everything but the actions that the file beside it, `denied`, has one a line; moto has none.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import logging
import os
import struct
import sys
from pathlib import Path
from typing import Any

from tests.aws import calls

IMAGES = Path(__file__).with_name("amis.json")


def host_key(instance_id: str) -> str:
    """Make up a well-formed ed25519 key for an instance, always the same."""
    fields = (b"ssh-ed25519", hashlib.sha256(instance_id.encode()).digest())
    blob = b"".join(struct.pack(">I", len(field)) + field for field in fields)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


def console(instance_id: str) -> str:
    """Write what a machine that has booted shows."""
    return (
        "[    0.000000] Linux version 6.1\r\n"
        "-----BEGIN SSH HOST KEY KEYS-----\r\n"
        f"{host_key(instance_id)} root@ip-10-80-1-4\r\n"
        "-----END SSH HOST KEY KEYS-----\r\n"
        "login: "
    )


def teach_consoles() -> None:
    """Make moto show the consoles above, each the second time that it is asked."""
    general: Any = importlib.import_module("moto.ec2.responses.general")
    asked: set[str] = set()

    def get_console_output(self: Any) -> Any:
        instance_id = self._get_param("InstanceId")
        text = console(instance_id) if instance_id in asked else "GRUB loading.\r\n"
        asked.add(instance_id)
        answer = {
            "InstanceId": instance_id,
            "Timestamp": general.utcnow(),
            "Output": general.Base64EncodedString.from_raw_string(text),
        }
        return general.ActionResult(answer)

    general.General.get_console_output = get_console_output


def teach_nat_gateways() -> None:
    """Make moto delete a NAT gateway's network interface with it, as AWS does."""
    backend: Any = importlib.import_module("moto.ec2.models.nat_gateways").NatGatewayBackend
    delete = backend.delete_nat_gateway

    def delete_nat_gateway(self: Any, nat_gateway_id: str) -> Any:
        gateway = delete(self, nat_gateway_id)
        self.delete_network_interface(gateway._eni.id)
        return gateway

    backend.delete_nat_gateway = delete_nat_gateway


def teach_load_balancers() -> None:
    """Give moto's load balancers attributes that AWS's have from the beginning."""
    balancer: Any = importlib.import_module("moto.elbv2.models").FakeLoadBalancer
    create = balancer.__init__

    def created(self: Any, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **kwargs)
        self.attrs.setdefault("routing.http.drop_invalid_header_fields.enabled", "false")
        self.attrs.setdefault("idle_timeout.timeout_seconds", "60")

    balancer.__init__ = created


def teach_images() -> None:
    """Make moto tag the snapshot of an image that is made of an instance, as AWS does."""
    backend: Any = importlib.import_module("moto.ec2.models.amis").AmiBackend
    create = backend.create_image

    def create_image(self: Any, *args: Any, tag_specifications: list[dict[str, Any]]) -> Any:
        kinds = {one["ResourceType"]: one for one in tag_specifications}
        snapshot = kinds.pop("snapshot", {"Tags": []})
        image = create(self, *args, tag_specifications=list(kinds.values()))
        for tag in snapshot["Tags"]:
            image.ebs_snapshot.add_tag(tag["Key"], tag["Value"])
        return image

    backend.create_image = create_image


def teach_interfaces() -> None:
    """Make moto delete an instance's first interface with it unless it was told not to, as AWS."""
    instance: Any = importlib.import_module("moto.ec2.models.instances").Instance
    create = instance.__init__

    def created(self: Any, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **kwargs)
        asked = {str(nic.get("DeviceIndex")): nic for nic in kwargs.get("nics") or []}
        if asked.get("0", {}).get("DeleteOnTermination") is None and self.nics:
            self.nics[0].delete_on_termination = True

    instance.__init__ = created


def teach_launch_templates() -> None:
    """Make moto answer for versions that are deleted before their template is."""
    responses: Any = importlib.import_module("moto.ec2.responses.launch_templates")

    def delete_launch_template_versions(self: Any) -> Any:
        template = self._get_param("LaunchTemplateId")
        deleted = [
            {"LaunchTemplateId": template, "VersionNumber": int(version)}
            for version in self._get_param("Versions", [])
        ]
        return responses.ActionResult({"SuccessfullyDeletedLaunchTemplateVersions": deleted})

    responses.LaunchTemplates.delete_launch_template_versions = delete_launch_template_versions


def teach_scaling_groups() -> None:
    """Make moto keep to AWS in what the renewal of a scaling group needs.

    Metrics end; a launch template's own tags are none of its data's; user data is read in every
    version; a machine tells the version that it was started from, and not the group's.
    """
    responses: Any = importlib.import_module("moto.autoscaling.responses")
    template: Any = importlib.import_module("moto.ec2.models.launch_templates").LaunchTemplate
    create = template.create_version
    parse_user_data: Any = importlib.import_module("moto.ec2.utils").parse_user_data

    def disable_metrics_collection(self: Any) -> Any:
        group = self._get_param("AutoScalingGroupName")
        self.autoscaling_backend.enable_metrics_collection(group, [])
        return responses.EmptyResult()

    def create_version(self: Any, data: dict[str, Any], description: str) -> Any:
        specifications = data.get("TagSpecifications", [])
        for own in [one for one in specifications if one["ResourceType"] == "launch-template"]:
            specifications.remove(own)
        if isinstance(data.get("UserData"), str):
            data["UserData"] = parse_user_data(data["UserData"])
        return create(self, data, description)

    state: Any = importlib.import_module("moto.autoscaling.models").InstanceState
    enter = state.__init__

    def entered(self: Any, *args: Any, **kwargs: Any) -> None:
        enter(self, *args, **kwargs)
        group = self.auto_scaling_group
        self.template = {
            "LaunchTemplateId": group.ec2_launch_template.id,
            "LaunchTemplateName": group.ec2_launch_template.name,
            "Version": str(
                group.ec2_launch_template.get_version(group.launch_template_version).number
            ),
        }

    responses.AutoScalingResponse.disable_metrics_collection = disable_metrics_collection
    state.__init__, state.launch_template = entered, property(lambda self: self.template)
    template.create_version = create_version


def teach_simulation(denied: Path) -> None:
    """Make moto answer SimulatePrincipalPolicy; who may not do that itself is told so."""
    iam: Any = importlib.import_module("moto.iam.responses")
    core: Any = importlib.import_module("moto.core.responses")
    exceptions: Any = importlib.import_module("moto.iam.exceptions")

    def simulate_principal_policy(self: Any) -> Any:
        no = denied.read_text().split() if denied.exists() else []
        if "iam:SimulatePrincipalPolicy" in no:
            raise exceptions.IAMException("AccessDenied", "not authorized to ask")
        results = [
            {"EvalActionName": name, "EvalDecision": "implicitDeny" if name in no else "allowed"}
            for name in self._get_param("ActionNames")
        ]
        return core.ActionResult({"EvaluationResults": results, "IsTruncated": False})

    iam.IamResponse.simulate_principal_policy = simulate_principal_policy


def main() -> None:
    """Serve until the parent is gone."""
    # moto reads it when it is imported.
    os.environ["MOTO_AMIS_PATH"] = str(IMAGES)
    teach_consoles()
    teach_nat_gateways()
    teach_load_balancers()
    teach_images()
    teach_scaling_groups()
    teach_launch_templates()
    teach_interfaces()
    record = Path(os.environ["FAKE_AWS_CALLS"])
    calls.record(record)
    teach_simulation(record.with_name("denied"))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto: Any = importlib.import_module("moto.server")
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
