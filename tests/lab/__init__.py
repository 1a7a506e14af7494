"""The lab: a stand-in for EC2 on one Linux machine.

The AWS API is moto, in the lab's own process. Behind it, every running instance is a real machine
(systemd-nspawn: its own systemd, sshd, users, files), and every packet between machines, and
between them and the outside, passes network namespaces that do what a VPC does. What is real and
what is not:

- Images: Amazon Linux 2023 and Ubuntu 24.04 have their real names, owners and login users. Both
  boot the same Debian 12 root file system.
- Instances: key pair, user data (a script, or of #cloud-config: package_update, packages, runcmd),
  console output with the SSH host keys, the memory of the instance type, metadata (IMDSv2), start,
  stop, reboot, terminate. A machine's disk is its overlay; volumes exist in the API only. All share
  this machine's kernel, clock and processors.
- Network: security groups (IPv4 ranges and groups as peers), route tables, internet gateway, public
  and elastic addresses, NAT instances and NAT gateways, source/destination check, the VPC's
  resolver. An instance has one network interface. Not there: IPv6, network ACLs, peering, prefix
  lists, endpoints, load balancers. Private addresses must differ between VPCs that have instances.
- The world outside is this machine (203.0.113.254) and what it reaches. Public addresses are of
  203.0.113.0/24, and no packet with such an address or a VPC's leaves this machine.
- Anaconda's installer has a stand-in (tests/lab/anaconda).

Read daemon.py first: it puts the parts together. names.py says what everything is called.
"""
