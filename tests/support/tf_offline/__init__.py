"""Terraform with no registry and no cloud: stand-ins of providers whose schemas are those of the real ones.

The schemas (every type, attribute, block, what is required or computed) are read from the prebuilt CDK bindings on
PyPI; behind them there is no cloud. So `validate` and `test` judge as with the real providers, but for what those check
in code of their own: allowed values, patterns, what excludes what. `apply` fills in values that are made up.

By hand, from the root of the repository: `python tests/support/tf_offline DIR`, and any command of terraform after DIR.

The program is `terraform` or `tofu` on PATH, or what TF_OFFLINE_PROGRAM names; without any, Terraform from PyPI. With
TF_OFFLINE_REAL=1 providers come from the registry instead, and their own checks with them. TF_OFFLINE_CACHE is the
folder that keeps the schemas.
"""
