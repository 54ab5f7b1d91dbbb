"""A project whose workflows are run with act, with programs that keep what they are asked and a cloud behind."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest
from clouds.aws.conftest import aws, network, server  # noqa: F401 - the same cloud
from project.conftest import made, rendered, small  # noqa: F401 - the same projects
from support.aws import ACCOUNT, CREDENTIALS, REGION
from support.programs import Programs
from support.template import git
from support.workflows import act, take_environment_of_tests

REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
VARIABLES = {
    "MLOPS_PLATFORM": "aws",
    **{f"MLOPS_AWS_{role.upper()}_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/{role}" for role in ("plan", "apply")},
    **{f"MLOPS_AWS_{role.upper()}_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/{role}" for role in ("train", "deploy")},
    "MLOPS_AWS_BUCKET": "flight-delays-dev",
    "MLOPS_AWS_PIPELINE_REPOSITORY": f"{REGISTRY}/flight-delays-pipeline",
    "MLOPS_AWS_SERVING_REPOSITORY": f"{REGISTRY}/flight-delays-serving",
    "MLOPS_AWS_PIPELINE_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/mlops/pipeline",
    "MLOPS_AWS_ENDPOINT_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/mlops/endpoint",
}
AZURE = {
    "MLOPS_PLATFORM": "azure",
    **{f"MLOPS_AZURE_{role.upper()}_CLIENT_ID": f"identity/{role}" for role in ("plan", "apply", "train", "deploy")},
    "MLOPS_AZURE_TENANT": "66666666-7777-8888-9999-000000000000",
    "MLOPS_AZURE_SUBSCRIPTION": "11111111-2222-3333-4444-555555555555",
    "MLOPS_AZURE_PIPELINE_REPOSITORY": "flightdelays.azurecr.io/flight-delays-pipeline",
    "MLOPS_AZURE_SERVING_REPOSITORY": "flightdelays.azurecr.io/flight-delays-serving",
}
GOOGLE = {
    "MLOPS_PLATFORM": "gcp",
    **{
        f"MLOPS_GCP_{role.upper()}_SERVICE_ACCOUNT": f"{role}@flights-dev.iam.gserviceaccount.com"
        for role in ("plan", "apply", "train", "deploy")
    },
    "MLOPS_GCP_WORKLOAD_IDENTITY_PROVIDER": "projects/1234/locations/global/workloadIdentityPools/github/providers/me",
    "MLOPS_GCP_PROJECT": "flights-dev",
    "MLOPS_GCP_PIPELINE_REPOSITORY": "us-central1-docker.pkg.dev/flights-dev/flight-delays/pipeline",
    "MLOPS_GCP_SERVING_REPOSITORY": "us-central1-docker.pkg.dev/flights-dev/flight-delays/serving",
}
CLUSTER = {
    "MLOPS_PLATFORM": "kubeflow",
    "MLOPS_KUBEFLOW_API_SERVER": "https://cluster.example.com:6443",
    "MLOPS_KUBEFLOW_CERTIFICATE_AUTHORITY": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "MLOPS_KUBEFLOW_AUDIENCE": "https://cluster.example.com",
    "MLOPS_KUBEFLOW_NAMESPACE": "flight-delays-dev",
    "MLOPS_KUBEFLOW_OBJECT_STORE": "https://s3.example.com",
    "MLOPS_KUBEFLOW_OBJECT_STORE_SECRET": "object-store",
    "MLOPS_KUBEFLOW_PIPELINE_REPOSITORY": "ghcr.io/me/mine/pipeline",
}
AUDIENCES = [
    CLUSTER["MLOPS_KUBEFLOW_AUDIENCE"],
    "api://AzureADTokenExchange",
    f"https://iam.googleapis.com/{GOOGLE['MLOPS_GCP_WORKLOAD_IDENTITY_PROVIDER']}",
]
UPLOAD = 'mkdir -p "$STUBS/$INPUT_NAME" && cp -R "$INPUT_PATH" "$STUBS/$INPUT_NAME/"'
# Of one artifact its files, of a pattern those of all that fit, if there are any.
DOWNLOAD = """
mkdir -p "$INPUT_PATH"
for folder in "$STUBS/"${INPUT_PATTERN:-$INPUT_NAME}; do
  [ ! -d "$folder" ] || cp -R "$folder/." "$INPUT_PATH/"
done
[ -n "$INPUT_PATTERN" ] || [ -d "$STUBS/$INPUT_NAME" ]
"""
LOGIN = """
[ -n "$INPUT_ROLE_TO_ASSUME" ]
[ "$INPUT_AWS_REGION" = us-east-1 ]
echo "$INPUT_ROLE_TO_ASSUME" >>"$STUBS/logins"
"""
AZURE_LOGIN = """
[ -n "$INPUT_TENANT_ID" ]
[ -n "$INPUT_SUBSCRIPTION_ID" ]
echo "$INPUT_CLIENT_ID" >>"$STUBS/logins"
"""
# The file lies where the action leaves it, and has what the action writes.
GOOGLE_LOGIN = """
[ -n "$INPUT_WORKLOAD_IDENTITY_PROVIDER" ]
echo "$INPUT_SERVICE_ACCOUNT in $INPUT_PROJECT_ID" >>"$STUBS/logins"
file="$GITHUB_WORKSPACE/gha-creds-0123456789abcdef.json"
jq --null-input --arg account "$INPUT_SERVICE_ACCOUNT" --arg provider "$INPUT_WORKLOAD_IDENTITY_PROVIDER" '{
  type: "external_account",
  audience: "//iam.googleapis.com/\\($provider)",
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  token_url: "https://sts.googleapis.com/v1/token",
  service_account_impersonation_url:
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/\\($account):generateAccessToken",
  credential_source: {
    url: "\\(env.ACTIONS_ID_TOKEN_REQUEST_URL)&audience=https%3A%2F%2Fiam.googleapis.com%2F\\($provider | @uri)",
    headers: {Authorization: "Bearer \\(env.ACTIONS_ID_TOKEN_REQUEST_TOKEN)"},
    format: {type: "json", subject_token_field_name: "value"}
  }
}' >"$file"
for name in CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE GOOGLE_APPLICATION_CREDENTIALS GOOGLE_GHA_CREDS_PATH; do
  echo "$name=$file" >>"$GITHUB_ENV"
done
[ "$INPUT_TOKEN_FORMAT" != access_token ] || echo "access_token=of-an-hour" >>"$GITHUB_OUTPUT"
"""
DOCKER_LOGIN = 'echo "$INPUT_USERNAME:$INPUT_PASSWORD at $INPUT_REGISTRY" >>"$STUBS/registries"'


class Site:
    """A repository with a cloud behind it; `run(event, ...)` runs a workflow, `asked` is what programs were asked."""

    def __init__(self, project, cloud, folder):
        self.project, self.folder, self.programs = project, folder, Programs(folder / "bin")
        self.variables = dict(VARIABLES)
        self._numbers = count(1)
        said = {**CREDENTIALS, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": cloud.url}
        exports = "\n".join(f'echo "{name}={value}" >>"$GITHUB_ENV"' for name, value in said.items())
        self.stubs = {
            "actions/upload-artifact": UPLOAD,
            "actions/download-artifact": DOWNLOAD,
            "aws-actions/configure-aws-credentials": LOGIN + exports,
            "Azure/login": AZURE_LOGIN,
            "google-github-actions/auth": GOOGLE_LOGIN,
            "docker/login-action": DOCKER_LOGIN,
            "aws-actions/amazon-ecr-login": 'echo "$INPUT_REGISTRIES" >>"$STUBS/registries"',
            "hashicorp/setup-terraform": 'echo "terraform $INPUT_TERRAFORM_WRAPPER" >>"$STUBS/installed"',
            "opentofu/setup-opentofu": 'echo "tofu $INPUT_TOFU_WRAPPER" >>"$STUBS/installed"',
        }

    def run(self, event, workflow, *arguments, code=0, **variables):
        self.seen = self.folder / f"act-{next(self._numbers)}"
        self.seen.mkdir()
        stated = [
            part for name, value in {**self.variables, **variables}.items() for part in ("--var", f"{name}={value}")
        ]
        command = [event, "-W", f".github/workflows/{workflow}", *stated, "-s", "GITHUB_TOKEN=a-long-token-of-no-use"]
        there = self.programs.before(self.project)
        return act(there, *command, *arguments, stubs=self.stubs, folder=self.seen, code=code)

    def lines(self, name):
        """What the stubs of the last run wrote to a file of that name."""
        file = self.seen / name
        return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


@pytest.fixture
def github():
    """Variables that GitHub gives a job which may ask it for tokens, and an address that hands them out: 1, 2, 3 ..."""
    numbers = count(1)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            query = parse_qs(urlsplit(self.path).query)
            known = self.headers["Authorization"].lower() == "bearer of-this-job"
            fits = known and query in [{"api-version": ["2.0"], "audience": [audience]} for audience in AUDIENCES]
            self.send_response(200 if fits else 401)
            self.end_headers()
            self.wfile.write(json.dumps({"value": f"token-{next(numbers)}"} if fits else {}).encode())

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as asked:
        threading.Thread(target=asked.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{asked.server_port}/token?api-version=2.0"
        said = {"ACTIONS_ID_TOKEN_REQUEST_URL": address, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-this-job"}
        yield [part for name, value in said.items() for part in ("--env", f"{name}={value}")]
        asked.shutdown()


@pytest.fixture
def site(aws, tmp_path):  # noqa: F811
    """`site(project)` is a `Site` of that project; another cloud than moto's server can be behind it."""

    def site(project, cloud=aws):
        take_environment_of_tests(project)
        project.commit()
        if not git("remote", cwd=project.path):
            git("remote", "add", "origin", "https://github.com/me/mine.git", cwd=project.path)
        (tmp_path / "site").mkdir()
        return Site(project, cloud, tmp_path / "site")

    return site
