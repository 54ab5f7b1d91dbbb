# The template's: `copier update` renews this file.
# Settings of the environment prod. Yours go below, and an update leaves them; ../project/variables.tf has them all.
environment = "prod"
