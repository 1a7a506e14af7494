#!/bin/sh
# certificate NAME KEY CERTIFICATE DAYS RENEW_DAYS: makes a key and a certificate for NAME (a host name or an IPv4
# address) that it signs itself, unless those that are there fit NAME and hold for more than RENEW_DAYS.
# Says `made` or `kept`; a running Apache is told.
set -eu
name=$1 key=$2 certificate=$3 days=$4 renew_days=$5

case $name in
	*[!0-9.]*) kind=DNS check=-checkhost ;;
	*) kind=IP check=-checkip ;;
esac

fits() {
	openssl x509 -in "$certificate" -noout -checkend $((renew_days * 86400)) >/dev/null 2>&1 || return 1
	openssl x509 -in "$certificate" -noout "$check" "$name" | grep -q 'does match' || return 1
	[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout 2>/dev/null)" ]
}

if fits; then
	echo kept
	exit
fi

umask 077
new=$(mktemp -d "$(dirname "$key")/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT
cat >"$new/request.conf" <<END
[req]
prompt = no
distinguished_name = subject
x509_extensions = extensions
[subject]
commonName = $name
[extensions]
subjectAltName = $kind:$name
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
END
openssl req -x509 -config "$new/request.conf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -sha256 \
	-days "$days" -keyout "$new/key" -out "$new/certificate" 2>/dev/null
chmod 644 "$new/certificate"
mv "$new/key" "$key"
mv "$new/certificate" "$certificate"
if systemctl is-active --quiet apache2 2>/dev/null; then
	systemctl reload apache2
fi
echo made
