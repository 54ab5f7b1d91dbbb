"""`mlops rollback --on aws`: the registry first, then the endpoint, at once; and once only."""

from clouds.aws.deploy.conftest import NAME
from clouds.aws.deploy.test_deploy import answering, packages


def test_the_endpoint_follows_the_registry(project, front, sagemaker, row):
    project.mlops("deploy", "--on", "aws", "--model", "1")
    served = front.config(NAME)
    project.mlops("deploy", "--on", "aws")
    front.operations()
    said = project.mlops("rollback", "--on", "aws", "--reason", "It was wrong.").out
    assert "Version 1 of flight-delays is the champion, after version 2" in said
    assert f"{NAME} serves version 1 of flight-delays again." in said
    assert front.config(NAME) == served, "what served before serves, not something new"
    assert answering(front, row) == "1"
    assert "canary" not in str(front.sagemaker.endpoints["us-east-1", NAME].rules).lower()
    assert project.champion == "1"
    assert project.deployed == {"mlops.deployed.dev": "1"}
    assert packages(sagemaker) == {"flight-delays version 1": "Approved", "flight-delays version 2": "Rejected"}
    assert "has no champion before it" in project.refuses("rollback", "--on", "aws", code=1)
    assert answering(front, row) == "1"


def test_a_rollback_that_was_cut_short_is_finished_and_not_repeated(project, front, row):
    project.mlops("deploy", "--on", "aws", "--model", "1")
    project.mlops("deploy", "--on", "aws")
    front.after = {"UpdateEndpoint": project.kill}
    assert project.mlops("rollback", "--on", "aws", code=None).code == -9
    front.after = {}
    assert project.champion == "1"
    # The update goes on by itself; the registry's move is known, so it is not made again.
    said = project.mlops("rollback", "--on", "aws").out
    assert "was rolled back before; the endpoint follows" in said
    assert (project.champion, answering(front, row)) == ("1", "1")


def test_what_was_never_served_there_is_deployed(project, front, row):
    """After the first deployment there is nothing to go back to but the registry's champion."""
    project.mlops("deploy", "--on", "aws")
    said = project.mlops("rollback", "--on", "aws").out
    assert f"{NAME} serves version 1 of flight-delays" in said
    assert answering(front, row) == "1"


def test_without_an_endpoint_only_the_registry_moves(project, front):
    said = project.mlops("rollback", "--on", "aws").out
    assert "Nothing serves on aws" in said
    assert project.champion == "1"
    assert front.operations() == []
