"""Stands in for the model where only one answer of its command line matters."""
