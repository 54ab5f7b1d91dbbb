# Minutes late; a cancelled flight never arrives and has no label.
TARGET = pl.col("arr_delay").alias("minutes_late")
