"""The machinery of this project: the template's, the same bytes in every project, and replaced by `copier update`."""
