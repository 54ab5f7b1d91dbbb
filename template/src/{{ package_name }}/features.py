"""Features of a flight, from what is known when it is scored; the same code trains and serves."""

import polars as pl


def build(flights: pl.DataFrame) -> pl.DataFrame:
    """Make one row of features a flight.

    `flights` has the columns that `dataset.py` declares known when scoring, and no others. A row's
    features may depend on that row alone: in serving it may come by itself.
    """
    departure, arrival = pl.col("scheduled_departure"), pl.col("sched_arr_time")
    minute_of_day = departure.dt.hour().cast(pl.Int32) * 60 + departure.dt.minute().cast(pl.Int32)
    return flights.select(
        "carrier",
        "origin",
        "dest",
        "distance",
        "temp",
        "dewp",
        "humid",
        "wind_speed",
        "precip",
        "pressure",
        "visib",
        minute_of_day=minute_of_day,
        arrival_minute_of_day=arrival // 100 * 60 + arrival % 100,
        day_of_week=departure.dt.weekday(),
    )
