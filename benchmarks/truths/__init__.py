"""Worlds whose truth is known, passes over them, and what the passes said of them: what `truth.py` is made of."""
