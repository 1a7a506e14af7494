"""`make audit` on the lab: what site.yml built is as declared; a rule opened by hand is named."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Site

pytestmark = pytest.mark.lab


def test_a_rule_that_was_opened_by_hand_is_named(site: Site) -> None:
    clean = site.playbook("playbooks/audit.yml")
    assert clean.returncode == 0, clean.lines
    assert "things are as declared" in clean.output
    assert not any(clean.changed.values())

    (group,) = site.ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["SG_JB_A19P1"]}]
    )["SecurityGroups"]
    rule = {
        "GroupId": group["GroupId"],
        "IpPermissions": [
            {
                "IpProtocol": "tcp",
                "FromPort": 8080,
                "ToPort": 8080,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            }
        ],
    }
    site.ec2.authorize_security_group_ingress(**rule)
    try:
        open_ = site.playbook("playbooks/audit.yml")
    finally:
        site.ec2.revoke_security_group_ingress(**rule)
    assert open_.returncode != 0
    # Ansible breaks long lines and doubles quotes.
    said = " ".join(open_.output.split()).replace("''", "'")
    assert "SG_JB_A19P1, ingress: 'tcp 8080 from 0.0.0.0/0' is there, and not declared" in said
    assert "host JB_A19P1, open ports: '8080' is there" in said, "the packet comes through, too"
