"""What infra/gcp makes in a project, as far as a doctor looks: rooms of the Google of the tests, which tests change."""

from support.google import BUCKET, PROJECT, RECOVERY, REGION, Said, refused

NUMBER = "123456789012"
IMAGES = f"{REGION}-docker.pkg.dev/{PROJECT}/flight-delays"
JOBS = f"flight-delays-dev-jobs@{PROJECT}.iam.gserviceaccount.com"
ENDPOINT = f"flight-delays-dev-endpoint@{PROJECT}.iam.gserviceaccount.com"
KEY = f"projects/{PROJECT}/locations/{REGION}/keyRings/mlops/cryptoKeys/dev"


class Built:
    """A project with all of it; `google` is a `support.google.Google`."""

    def __init__(self, google):
        self.services = dict.fromkeys(("aiplatform", "iam", "monitoring", "storage"), "ENABLED")
        self.may = {
            f"projects/{PROJECT}": {"resourcemanager.projects.get", "aiplatform.pipelineJobs.create"},
            **{each: {"iam.serviceAccounts.actAs", "iam.serviceAccounts.get"} for each in (JOBS, ENDPOINT)},
        }
        self.bucket = {
            "name": BUCKET,
            "location": "US",
            "locationType": "dual-region",
            "customPlacementConfig": {"dataLocations": [REGION.upper(), RECOVERY.upper()]},
            "versioning": {"enabled": True},
            "iamConfiguration": {
                "uniformBucketLevelAccess": {"enabled": True},
                "publicAccessPrevention": "enforced",
            },
        }
        self.images = {"format": "DOCKER", "dockerConfig": {"immutableTags": True}}
        self.accounts = {JOBS: {"email": JOBS}, ENDPOINT: {"email": ENDPOINT}}
        self.key = {"name": KEY, "primary": {"state": "ENABLED"}}
        self.endpoints = {}
        place = rf"/v1/projects/{PROJECT}/locations/{REGION}"
        google.route("POST", r"cloudresourcemanager\.googleapis\.com", r"/v3/(projects/[^/:]+):test\w+", self._may)
        google.route("GET", r"serviceusage\.googleapis\.com", r"/v1/projects/[^/]+/services/(\w+)\..*", self._service)
        google.route("GET", r"storage\.googleapis\.com", r"/storage/v1/b/([^/]+)", self._bucket)
        google.route("GET", r"artifactregistry\.googleapis\.com", rf"{place}/repositories/flight-delays", self._images)
        google.route("POST", r"iam\.googleapis\.com", r"/v1/projects/-/serviceAccounts/([^/:]+):test\w+", self._may)
        google.route("GET", r"iam\.googleapis\.com", r"/v1/projects/-/serviceAccounts/([^/:]+)", self._account)
        google.route("GET", r"cloudkms\.googleapis\.com", rf"/v1/{KEY}", lambda asked, match: Said(body=self.key))
        google.rpc("EndpointService.GetEndpoint", self._endpoint)

    def _may(self, asked, match):
        """Of what is not there Google says that nobody may do anything with it; of an account, that there is none."""
        if match[1] not in self.may:
            return Said(body={}) if match[1].startswith("projects/") else refused(404, f"Unknown account {match[1]}")
        may = sorted(self.may[match[1]] & set(asked.body["permissions"]))
        return Said(body={"permissions": may} if may else {})

    def _service(self, asked, match):
        return Said(body={"state": self.services.get(match[1], "DISABLED")})

    def _bucket(self, asked, match):
        return Said(body=self.bucket) if match[1] == BUCKET else refused(404, "The specified bucket does not exist.")

    def _images(self, asked, match):
        return Said(body=self.images)

    def _account(self, asked, match):
        return Said(body=self.accounts[match[1]])

    def _endpoint(self, call):
        name = call.request["name"]
        return self.endpoints.get(name) or refused(404, f"The Endpoint {name} does not exist.")
