"""What the tests share: copies of the template, and environments in which rendered projects run."""
