"""Looks after the projects that an organisation has made from this template: `nox -s fleet -- --help`."""
