#!/bin/sh
# What listens ("ADDRESS:PORT (Stream)"), then a line for each worker: its unit, its state, and the
# deploy that its process really runs.
systemctl show mnist-api.socket --property=Listen --value | head -n 1
systemctl list-units --all --plain --no-legend --full 'mnist-api@*.service' |
	while read -r unit _ active _; do
		pid=$(systemctl show "$unit" --property=MainPID --value)
		deploy=$(tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | sed -n 's/^MNIST_DEPLOY=//p')
		echo "$unit $active ${deploy:-none}"
	done
