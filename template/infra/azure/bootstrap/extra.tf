# Yours: what else you need here, beside what the template has. `local.tags` and the variables are at hand.
