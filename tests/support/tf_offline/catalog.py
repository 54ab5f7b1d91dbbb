"""Which provider schemas can be had, and from which package of PyPI.

Each package is a binding that was generated from exactly that provider version; a line adds one.
"""

import re

# (source of the provider, its version, package, version of the package): the newest first.
CATALOG = [
    ("hashicorp/aws", "6.69.1", "cdktn-provider-aws", "25.8.1"),
    ("hashicorp/azurerm", "5.10.0", "cdktn-provider-azurerm", "18.9.0"),
    ("hashicorp/azurerm", "4.81.0", "cdktn-provider-azurerm", "17.0.0"),
    ("hashicorp/google", "8.7.0", "cdktn-provider-google", "21.1.0"),
    ("hashicorp/google", "7.46.1", "cdktn-provider-google", "20.3.1"),
    ("hashicorp/azuread", "3.10.0", "cdktn-provider-azuread", "17.1.0"),
    ("hashicorp/random", "3.9.1", "cdktn-provider-random", "15.0.1"),
    ("azure/azapi", "2.13.0", "cdktn-provider-azapi", "1.0.0"),
]

# The bindings do not say which attributes are sensitive. These are usual ones: an output that shows one has to say so.
SENSITIVE = [
    ("aws", r"iam_access_key|secretsmanager_secret_version|ssm_parameter", r"secret|secret_string|secret_binary|value"),
    ("aws", r"(ecr|ecrpublic|eks_cluster)_auth(orization_token)?", r"authorization_token|password|token"),
    ("azurerm", r"storage_account|application_insights|log_analytics_workspace", r".*(_key|connection_string)"),
    ("azurerm", r"container_registry|key_vault_secret", r"admin_password|value"),
    ("google", r"service_account_key|secret_manager_secret_version", r"private_key|secret_data"),
    ("random", r"password", r"result"),
]

# Texts that the real provider takes as JSON alone.
JSON_TEXTS = re.compile(
    r"aws_(iam|s3|kms|ecr|sns|sqs|secretsmanager|sagemaker|cloudwatch)_\w+\."
    r"(policy|assume_role_policy|resource_policy|dashboard_body|event_pattern)"
)


def choose(source, constraints):
    """The newest line of the catalog that meets all constraints, such as {"~> 6.0"}; None if none does."""
    for line in CATALOG:
        if line[0] == source and all(_meets(line[1], part) for text in constraints for part in text.split(",")):
            return line
    return None


def _meets(version, constraint):
    sign, wanted = re.fullmatch(r"\s*(~>|>=|<=|!=|>|<|=)?\s*v?([\d.]+)\s*", constraint).groups()
    have, want = _numbers(version), _numbers(wanted)
    if sign == "~>":
        upper = want[: max(wanted.count("."), 1)]
        return want <= have and have[: len(upper)] == upper
    return {
        None: have == want,
        "=": have == want,
        "!=": have != want,
        ">": have > want,
        ">=": have >= want,
        "<": have < want,
        "<=": have <= want,
    }[sign]


def _numbers(version):
    return (*(int(part) for part in version.split(".")), 0, 0)[:3]
