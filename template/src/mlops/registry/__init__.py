# The template's: `copier update` renews this file.
"""The registered model: its bundle, its gate and the judge that decides on the champion."""
