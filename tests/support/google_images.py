"""Images in Artifact Registry, in the Google of the tests, as Docker's API tells of them."""

import hashlib
import re

from support.google import Said, refused


class Images:
    """The images of the fake `google`, which has none that was not pushed."""

    def __init__(self, google):
        self.pushed = {}
        google.route("HEAD", r"[a-z0-9-]+-docker\.pkg\.dev", r"/v2/(.+)/manifests/([^/]+)", self._head)

    def push(self, repository, tag):
        """Has an image be there; returns its digest reference."""
        digest = f"sha256:{hashlib.sha256(f'{repository}:{tag}'.encode()).hexdigest()}"
        self.pushed[repository, tag] = digest
        return f"{repository}@{digest}"

    def _head(self, asked, match):
        digest = self.pushed.get((f"{asked.host}/{match[1]}", match[2]))
        if digest is None:
            return refused(404, "The manifest is not there")
        assert re.search("oci.image.index", asked.headers["Accept"])
        return Said(headers={"Docker-Content-Digest": digest})
