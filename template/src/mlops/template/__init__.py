# The template's: `copier update` renews this file.
"""This project against its template: what lags, what diverged, what an update would bring and would conflict with."""
