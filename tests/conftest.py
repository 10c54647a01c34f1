"""Every test runs with the shapes in signatures checked, wherever tensors are computed with."""

from __future__ import annotations

from jaxtyping import install_import_hook

ROOMS = ("data", "decoding", "layers", "losses", "metrics", "models")

install_import_hook([f"samoyed.{room}" for room in ROOMS], "strict_shapes.checked")
