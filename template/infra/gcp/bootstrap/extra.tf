# Yours: what else you need here, beside what the template has. `local.labels` and the variables are at hand.
