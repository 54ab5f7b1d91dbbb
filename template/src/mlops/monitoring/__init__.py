# The template's: `copier update` renews this file.
"""Watching a model at work: what moved since it was trained, and whether it matters."""
