"""Stage `ingest`: the source's rows, with the contract's columns and types, as one Parquet file."""

from mlops.contract import conform
from mlops.errors import MlopsError
from mlops.files import sink
from mlops.params import Params
from mlops.pipeline.paths import RAW
from mlops.project import Project
from mlops.source import open_source, scan_source


def run(project: Project, params: Params) -> None:
    """Stream `data.source` into `data/raw.parquet`; memory does not grow with the rows."""
    from polars.exceptions import PolarsError

    source = open_source(params.data.source)
    try:
        with scan_source(source) as frame:
            sink(conform(frame, project.dataset), RAW)
    except PolarsError as error:
        raise MlopsError(
            f"data.source '{source.location}' is not readable {source.format}: {str(error).splitlines()[0]}"
        ) from error
