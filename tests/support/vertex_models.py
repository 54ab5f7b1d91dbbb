"""Vertex AI's Model Registry as Google documents it, in the Google of the tests: versions, and aliases that move.

A model's name comes back with the number of its project, as from Google.
"""

import re

from support.google import LOCATION, PROJECT, refused

NUMBER = "123456789012"
"""Of the project."""
ALIAS = re.compile("[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]")
LABEL = re.compile("[a-z0-9_-]{0,63}")
DIGEST = re.compile("[a-z0-9.-]+/.+@sha256:[0-9a-f]{64}")
VERSION_FIELDS, MODEL_FIELDS = {"versionDescription"}, {"displayName", "description", "labels"}


def faulty_labels(labels):
    wrong = [each for pair in labels.items() for each in pair if not LABEL.fullmatch(each)]
    return f"Labels contain {wrong[0]!r}, which is none" if wrong else None


class Models:
    """The registries of all regions of the fake `google`; bundles lie in `storage`, by objects' names."""

    def __init__(self, google, storage):
        self.google, self.storage, self.kept = google, storage, {}
        for name, answer in (
            ("GetModel", lambda call: self._shown(call, call.request["name"])),
            ("UploadModel", self._upload),
            ("MergeVersionAliases", self._merge),
            ("UpdateModel", self._update),
        ):
            google.rpc(f"ModelService.{name}", answer)

    def versions(self, model, place=LOCATION):
        """The versions of a model, by what Vertex AI calls them."""
        return self.kept.get(f"{place}/models/{model}", {})

    def aliases(self, model, place=LOCATION):
        """What each alias of one word means: the description's first line."""
        return {
            alias: version["versionDescription"].splitlines()[0]
            for version in self.versions(model, place).values()
            for alias in version["versionAliases"]
            if "-" not in alias and "versionDescription" in version
        }

    def find(self, name):
        """A version, by the name of its model and, after @, its number or an alias; None if there is none."""
        model, _, which = name.replace(NUMBER, PROJECT).partition("@")
        versions = self.kept.get(model, {})
        return next(
            (
                each
                for each in versions.values()
                if (which or "default") in (each["versionId"], *each["versionAliases"])
            ),
            None,
        )

    def _shown(self, call, name):
        found = self.find(name)
        return found if found is not None else refused(404, f"The Model {name} does not exist.")

    def _upload(self, call):
        model, place = call.request["model"], call.request["parent"]
        named, parent = call.request.get("modelId"), call.request.get("parentModel")
        name = f"{place}/models/{named}" if named else parent.replace(NUMBER, PROJECT)
        if wrong := self._wrong(call.request, name):
            return refused(*wrong)
        versions = self.kept.setdefault(name, {})
        number = str(len(versions) + 1)
        made = {
            **model,
            "name": name.replace(PROJECT, NUMBER),
            "versionId": number,
            "versionAliases": [],
            "supportedDeploymentResourcesTypes": ["DEDICATED_RESOURCES"],
        }
        versions[number] = made
        self._give(versions, made, [*model.get("versionAliases", []), *(["default"] if number == "1" else [])])
        said = {"model": made["name"], "modelVersionId": number}
        return self.google.operation(call, "UploadModelResponse", said, pending=1)

    def _wrong(self, request, name):
        model, container = request["model"], request["model"].get("containerSpec", {})
        bucket, _, folder = model["artifactUri"].removeprefix("gs://").partition("/")
        wrong = faulty_labels(model.get("labels", {}))
        if not re.fullmatch("[a-z_][a-z0-9_-]{0,62}", name.rpartition("/")[2]):
            wrong = f"{name} has an id that is none"
        if not DIGEST.fullmatch(container.get("imageUri", "")):
            wrong = f"the image {container.get('imageUri')} is not named by its content"
        if f"{folder}/bundle.json" not in self.storage.stored(f"{folder}/", bucket):
            wrong = f"{model['artifactUri']} holds no bundle"
        if [each for each in model.get("versionAliases", []) if not ALIAS.fullmatch(each)]:
            wrong = f"{model['versionAliases']} are no aliases"
        if request.get("modelId") and name in self.kept:
            return 409, f"A Model with ID {request['modelId']} already exists."
        if request.get("parentModel") and name not in self.kept:
            return 404, f"The Model {name} does not exist."
        return (400, wrong) if wrong else None

    def _merge(self, call):
        found = self.find(call.request["name"])
        if found is None or not call.request["name"].rpartition("@")[2].isdecimal():
            return refused(404, f"There is no version {call.request['name']}.")
        versions = self.kept[call.request["name"].partition("@")[0]]
        for alias in call.request["versionAliases"]:
            if alias == "-default" or not ALIAS.fullmatch(alias.removeprefix("-")):
                return refused(400, f"{alias} is no alias that can be changed so")
            if alias.startswith("-"):
                found["versionAliases"].remove(alias[1:])
            else:
                self._give(versions, found, [alias])
        return found

    def _give(self, versions, version, aliases):
        for each in versions.values():
            each["versionAliases"] = [alias for alias in each["versionAliases"] if alias not in aliases]
        version["versionAliases"] += aliases

    def _update(self, call):
        asked, changed = call.request["model"], set(call.request["updateMask"].split(","))
        found = self.find(asked["name"])
        if found is None:
            return refused(404, f"The Model {asked['name']} does not exist.")
        if not changed <= (VERSION_FIELDS if "@" in asked["name"] else MODEL_FIELDS):
            return refused(400, f"{changed} cannot be changed of {asked['name']}")
        found.update({name: asked[name] for name in changed})
        return found
