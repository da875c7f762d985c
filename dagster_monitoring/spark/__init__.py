"""Apache Spark: how a session is declared and had, and what rows read through it are."""

from dagster_monitoring.spark.connection import SparkConnection, close_sessions, java_home
from dagster_monitoring.spark.faults import spark_faults
from dagster_monitoring.spark.frames import Piece, SparkRows, StoredFrame, quoted
from dagster_monitoring.spark.waiting import no_endless_wait

__all__ = [
    "Piece",
    "SparkConnection",
    "SparkRows",
    "StoredFrame",
    "close_sessions",
    "java_home",
    "no_endless_wait",
    "quoted",
    "spark_faults",
]
