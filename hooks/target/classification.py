# Late is more than 15 minutes; a cancelled flight never arrives and has no label.
TARGET = (pl.col("arr_delay") > 15).alias("late")
