# The template's: `copier update` renews this file.
"""The machinery: the template's, the same bytes in every project; `copier update` renews it."""
