"""The registered model: its bundle, its gate and the judge that decides on the champion."""
