"""TensorFlow and Keras, imported without their notices: import them from here.

Their C++ parts write some before any setting of theirs is read; real errors are exceptions.
"""

import logging
import os

from mnist_model.quiet import no_standard_error

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

with no_standard_error():
    import keras
    import tensorflow as tf

logging.getLogger("tensorflow").setLevel(logging.ERROR)

__all__ = ["keras", "tf"]
