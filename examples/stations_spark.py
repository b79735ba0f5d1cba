"""The question of stations.py, answered by Spark 4.

    spark-submit stations_spark.py measurements.csv       or  python stations_spark.py ...

The file may have line ends inside quotes: Spark's own reader counts other rows, or reads it in one
piece.  Here it has a partition for each part of the file.
"""

import argparse
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from generators.spark import CSVDataSource

BLOCKSIZE = '16 MiB'


def summarise(spark: SparkSession, path: str, blocksize: str = BLOCKSIZE) -> DataFrame:
    """By station: least, greatest, sum and number, in tenths, which add up exactly."""
    spark.dataSource.register(CSVDataSource)
    reader = spark.read.format('generators')
    for name, value in {'types': 'temperature=float', 'blocksize': blocksize}.items():
        reader = reader.option(name, value)
    frame = reader.load(path).select('station', 'temperature')
    tenths: Any = f.round(f.col('temperature') * 10).cast('long')
    return (
        frame.withColumn('tenths', tenths)
        .groupBy('station')
        .agg(f.min('tenths'), f.max('tenths'), f.sum('tenths'), f.count('tenths'))
        .orderBy('station')
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('file')
    parser.add_argument('--blocksize', default=BLOCKSIZE)
    options = parser.parse_args()
    spark = (
        SparkSession.builder.appName('stations').config('spark.ui.enabled', 'false').getOrCreate()
    )
    spark.sparkContext.setLogLevel('ERROR')
    for station, least, greatest, total, count in summarise(
        spark, options.file, options.blocksize
    ).collect():
        print(f'{station}: {least / 10:.1f} {total / count / 10:.1f} {greatest / 10:.1f}')
    spark.stop()


if __name__ == '__main__':
    main()
