# The template's: `copier update` renews this file.
"""Predictions for others: files scored in batch, rows answered online, by the same bundle and contract."""
