"""Honest shallow models on the same split, one file per kind of data."""
