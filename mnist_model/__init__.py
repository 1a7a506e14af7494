"""Handwritten digits: from a drawing to a picture as in MNIST, and from MNIST to a trained release.

Order of reading: `ink` and `normalise` (what a picture must look like), `data`, `network`,
`recipes` and `train` (how a model comes about), `evaluate`, `release` and `classify` (how it is
kept and used). Only `network`, `train` and `export` import TensorFlow.
"""
