# The template's: `copier update` renews this file.
"""`python -m mlops`: the command where it is not installed, as in the image that serves."""

from mlops.cli import main

main()
