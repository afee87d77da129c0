"""A PySpark job of the SageMaker SDK, version 2, on two hosts and on the image that AWS owns."""

from pathlib import Path

import sagemaker
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.spark.processing import PySparkProcessor

APPLICATION = """
import socket, sys
import words
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("count").getOrCreate()
lines = spark.read.text("file:///opt/ml/processing/input/data/*").repartition(4)
hosts = lines.rdd.map(lambda _: socket.gethostname()).distinct().collect()
counts = lines.rdd.flatMap(lambda row: words.of(row.value)).countByValue()
with open("/opt/ml/processing/output/counts.txt", "w") as file:
    file.write(" ".join(f"{word}={counts[word]}" for word in sorted(counts)))
    file.write(f" hosts={len(hosts)} memory={spark.conf.get('spark.executor.memory')} {sys.argv[1]}")
spark.stop()
"""

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
Path("app.py").write_text(APPLICATION)
Path("words.py").write_text("def of(line):\n    return line.split()\n")
Path("data").mkdir()
for number in range(4):
    Path(f"data/{number}.txt").write_text("one two\n" * 100)
data = session.upload_data("data", key_prefix="spark/data")

processor = PySparkProcessor(
    framework_version="3.3",
    role=role,
    instance_count=2,
    instance_type="ml.t3.medium",
    base_job_name="spark",
    max_runtime_in_seconds=1200,
    sagemaker_session=session,
)
processor.run(
    "app.py",
    submit_py_files=["words.py"],
    arguments=["done"],
    inputs=[ProcessingInput(data, "/opt/ml/processing/input/data", input_name="data")],
    outputs=[ProcessingOutput("/opt/ml/processing/output", output_name="counts")],
    configuration=[{"Classification": "spark-defaults", "Properties": {"spark.executor.memory": "600m"}}],
    spark_event_logs_s3_uri=f"s3://{session.default_bucket()}/spark/events",
    wait=True,
)
described = processor.jobs[-1].describe()
assert "/sagemaker-spark-processing:3.3" in described["AppSpecification"]["ImageUri"], described
found = {one["OutputName"]: one["S3Output"]["S3Uri"] for one in described["ProcessingOutputConfig"]["Outputs"]}
counts = sagemaker.s3.S3Downloader.read_file(f"{found['counts']}/counts.txt", sagemaker_session=session)
assert counts == "one=400 two=400 hosts=2 memory=600m done", counts
events = sagemaker.s3.S3Downloader.list(f"s3://{session.default_bucket()}/spark/events", sagemaker_session=session)
assert events, "no event log"
