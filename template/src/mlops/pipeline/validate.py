# The template's: `copier update` renews this file.
"""Stage `validate`: the contract enforced; one breach, and nothing after this stage runs."""

import polars as pl

from mlops.contract import breaches, duplicate_keys
from mlops.errors import MlopsError
from mlops.files import batches, write_json
from mlops.params import Params
from mlops.pipeline.paths import RAW, VALIDATION
from mlops.project import Project

SHOWN = 5


def run(project: Project, params: Params) -> None:
    """Check `data/raw.parquet`; write what was checked to `reports/validation.json`."""
    dataset = project.dataset
    rows, found = breaches(batches(RAW), dataset)
    if rows == 0:
        raise MlopsError(f"data.source '{params.data.source}' has no rows; there is nothing to learn from")
    present = pl.scan_parquet(RAW)
    if set(dataset.key) <= set(present.collect_schema()):
        repeated = duplicate_keys(present, list(dataset.key))
        found += [repeated] if repeated else []
    if found:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise MlopsError(
            f"the data break the contract in {len(found)} way{'s' if len(found) > 1 else ''}, "
            f"of {rows:,} rows: {'; '.join(map(str, found[:SHOWN]))}{more}. "
            f"Mend the data, or the contract in src/{project.package}/dataset.py"
        )
    unlabelled = present.select(dataset.target.is_null().sum()).collect().item()
    write_json(VALIDATION, {"rows": rows, "rows_without_label": unlabelled, "columns": list(dataset.dtypes)})
