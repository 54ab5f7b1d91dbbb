"""Where things are, from the environment or `.env`; what changes a model is in `params.yaml`."""

from pydantic_settings import BaseSettings, SettingsConfigDict


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


def load_settings() -> Settings:
    """Read the settings; `MLFLOW_TRACKING_URI` counts as well, for MLflow's own tools read it."""
    import os

    settings = Settings()
    outside = os.environ.get("MLFLOW_TRACKING_URI")
    if outside and "tracking_uri" not in settings.model_fields_set:
        return settings.model_copy(update={"tracking_uri": outside})
    return settings
