# The template's: `copier update` renews this file.
"""Where things are, from the environment or `.env`; what changes a model is in `params.yaml`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mlops.errors import UsageError


class Settings(BaseSettings):
    """Variables that start with `MLOPS_`, save those that MLflow reads itself."""

    model_config = SettingsConfigDict(env_prefix="MLOPS_", env_file=".env", extra="ignore", populate_by_name=True)

    tracking_uri: str = "sqlite:///mlflow.db"
    """MLflow's tracking server and registry; the default is a file of this project."""
    experiment: str | None = None
    """MLflow's experiment; default: the project's name."""
    model_name: str | None = None
    """The registered model; default: the project's name."""
    environment: str = "local"
    """Where this runs, such as dev, staging or prod; written beside predictions and decisions."""

    data_remote: str | None = None
    """The URL that DVC pushes to and pulls from where a platform runs a stage, in place of the remote in its config.

    Settings of that remote may follow it, as in `s3://bucket/dvc?region=eu-north-1`."""
    checkpoints: Path | None = None
    """The folder where boosters save themselves while they train, to go on from after an interruption."""

    model: str | None = None
    """What `mlops serve` serves if no option says: a bundle's folder or URL, NAME@ALIAS or a version."""
    model_version: str | None = None
    """The version of a bundle that comes as a folder; default: a digest of it."""
    host: str = "127.0.0.1"
    """The address that `mlops serve` listens on if no option says; 0.0.0.0 in the image."""
    poll_seconds: float = Field(default=5.0, gt=0)
    """How often `mlops serve` asks the registry for a new champion, and `mlops deploy` a platform how far it is."""
    body_limit: int = Field(default=8 * 2**20, ge=1)
    """The most bytes that a request may have."""
    row_limit: int = Field(default=10_000, ge=1)
    """The most rows that a request may have."""
    drain_seconds: int = Field(default=25, ge=1)
    """How long open requests may take to finish after SIGTERM."""

    log_uri: str = "logs/predictions"
    """The folder or fsspec URL for the log of predictions that `mlops serve` writes; empty for none."""
    log_sample: float = Field(default=1.0, ge=0, le=1)
    """The share of rows that is logged."""
    log_redact: Annotated[tuple[str, ...], NoDecode] = ()
    """Columns that are never logged, with commas between them."""
    log_rows: int = Field(default=50_000, ge=1)
    """A part of the log is written when it has so many rows."""
    log_seconds: float = Field(default=60.0, gt=0)
    """A part of the log is written when its first row is so old."""
    log_buffer: int = Field(default=200_000, ge=1)
    """The most rows that wait to be written; further ones are counted and dropped."""
    log_retention_days: int | None = Field(default=None, ge=1)
    """Days after which parts in a local folder are deleted; a bucket has rules of its own."""

    @field_validator("log_redact", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


def load_settings() -> Settings:
    """Read the settings; `MLFLOW_TRACKING_URI` counts as well, for MLflow's own tools read it.

    Raises:
        UsageError: a variable has an impossible value.
    """
    import os

    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = f"MLOPS_{first['loc'][0]}".upper()
        raise UsageError(
            f"{name} is {first['input']!r}: {first['msg'].lower()}; mend it in the environment or in .env"
        ) from error
    outside = os.environ.get("MLFLOW_TRACKING_URI")
    if outside and "tracking_uri" not in settings.model_fields_set:
        return settings.model_copy(update={"tracking_uri": outside})
    return settings
