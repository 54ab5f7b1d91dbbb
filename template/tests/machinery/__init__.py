# The template's: `copier update` renews this file.
"""Quick tests of the machinery; they hold in every project, whatever its data are."""
