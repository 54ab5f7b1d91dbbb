# Yours: settings of bootstrap/; variables.tf has them all. This one is needed:
github_repository = "OWNER/NAME"
