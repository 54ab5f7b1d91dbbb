# Yours: settings of platform/; variables.tf has them all. What there is already is named: { use = "existing", ... }
tracking = { use = "create" }
images   = { use = "create" }
network  = { use = "create" }
