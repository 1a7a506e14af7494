"""HTTP around a release: a picture of a digit goes in, what it shows comes out.

Pyramid answers, Waitress serves. TensorFlow is never imported.
"""

import warnings

# Pyramid 2.1 still imports it; the locked setuptools still has it.
warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
