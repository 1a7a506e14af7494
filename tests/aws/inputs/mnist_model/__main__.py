"""Say which release is current: the one that $FAKE_RELEASE names, or none."""

import os
import sys

assert sys.argv[1:3] == ["release", "current"], sys.argv
release = os.environ.get("FAKE_RELEASE")
if not release:
    sys.stderr.write("There is no release of these inputs.\n")
    sys.exit(3)
print(release)
