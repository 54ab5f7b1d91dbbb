"""Quick tests of the machinery; they hold in every project, whatever its data are."""
