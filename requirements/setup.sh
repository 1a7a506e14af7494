#!/usr/bin/env bash
# Installs what a make target needs, once: Debian packages (as root), a virtual environment, the Python
# packages of one lock file, and the page's test tools (npm). Run again, it does nothing until a list
# or a lock changes.
#   demo        page and API on this machine (no root)
#   controller  Ansible and the AWS API's client (no root)
#   lab         the controller, and the lab's Debian packages (root)
#   dev         everything: tests, linters, training (no root; Debian packages are left out)
#   test        everything, and the Debian packages of the lab and the tests (root)
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:?"usage: requirements/setup.sh demo|controller|lab|dev|test"}
case $what in
    demo) lock=api debian=() ;;
    controller) lock=controller debian=() ;;
    lab) lock=controller debian=(requirements/debian-lab.txt) ;;
    dev) lock=dev debian=() ;;
    test)
        lock=dev debian=(requirements/debian-lab.txt requirements/debian-test.txt)
        command -v npm >/dev/null || debian+=(requirements/debian-npm.txt) # another one than Debian's is as good
        ;;
    *) echo "setup: unknown set '$what'" >&2; exit 2 ;;
esac
venv=.venv

refuse() {
    echo "$1 What works here: 'make demo' (page and API on this machine, no root) and 'make up TARGET=aws'." >&2
    exit 1
}

install_debian_packages() {
    [ "$(uname -s)" = Linux ] || refuse "The lab needs Linux, and this is $(uname -s)."
    command -v apt-get >/dev/null || refuse "The lab installs Debian packages, and this machine has no apt-get."
    [ "$(id -u)" = 0 ] || refuse "The lab makes machines and networks, for which it needs root: run it again with sudo."
    local wanted missing=()
    mapfile -t wanted < <(sed 's/#.*//' "$@" | tr -s ' \t' '\n' | sed '/^$/d')
    for package in "${wanted[@]}"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "setup: Debian packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update
    apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "${missing[@]}" >/dev/null
}

make_virtual_environment() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
        || { echo "This project needs Python 3.11 or newer as python3; this one is $(python3 --version 2>&1)." >&2; exit 1; }
    if ! [ -x $venv/bin/uv ]; then
        python3 -c 'import ensurepip' 2>/dev/null || {
            if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
                echo "python3 has no venv module here: install it (Debian, Ubuntu: apt-get install python3-venv) and try again." >&2
                exit 1
            fi
            apt-get -qq update && apt-get -qq install --yes --no-install-recommends python3-venv >/dev/null
        }
        python3 -m venv --clear $venv
        $venv/bin/pip --quiet --disable-pip-version-check install --require-hashes --no-deps --requirement requirements/uv.txt
    fi
}

# uv takes a tenth of pip's time; pip knows the machine's own index settings, so it is the way out where uv fails.
install_python_packages() {
    echo "setup: Python packages of requirements/$lock.txt"
    $venv/bin/uv --quiet pip install --python $venv/bin/python --require-hashes --requirement "requirements/$lock.txt" \
        || $venv/bin/pip --quiet --disable-pip-version-check install --require-hashes --requirement "requirements/$lock.txt"
}

# node_modules/ lies beside the lock file of its packages. None of them downloads a browser: there is Debian's.
install_npm_packages() {
    local sum stamp=$1/node_modules/.installed
    sum=$(sha256sum "$1/package-lock.json")
    [ "$(cat "$stamp" 2>/dev/null)" != "$sum" ] || return 0
    command -v npm >/dev/null \
        || { echo "The page's tests need npm, and it is not here: install it (Debian, Ubuntu: apt-get install npm) and try again." >&2; exit 1; }
    echo "setup: npm packages of $1/package-lock.json"
    PUPPETEER_SKIP_DOWNLOAD=1 npm --prefix "$1" ci --no-audit --no-fund --loglevel=error >/dev/null
    printf '%s\n' "$sum" > "$stamp"
}

[ ${#debian[@]} = 0 ] || install_debian_packages "${debian[@]}"
stamp=$venv/.installed-$lock
sum=$(sha256sum "requirements/$lock.txt" requirements/uv.txt)
if [ "$(cat $stamp 2>/dev/null)" != "$sum" ]; then
    make_virtual_environment
    install_python_packages
    printf '%s\n' "$sum" > "$stamp"
fi
[ "$what" != test ] || install_npm_packages tests/browser
