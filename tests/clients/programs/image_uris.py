"""URIs of AWS's images for the frameworks that have a stand-in, as the SageMaker SDK has them, one a line.

Hosts and repositories, of all versions and regions, are those of the files that image_uris.retrieve reads; it is called
itself for the forms of tags alone, as it takes most of a second for each.
"""

import importlib
import json
import sys
from pathlib import Path

image_uris = importlib.import_module(sys.argv[1])
CONFIGURATIONS = Path(image_uris.__file__).parent / "image_uri_config"
ASKED = (
    ("tensorflow", "training", "2.11.0", "py39"),
    ("tensorflow", "inference", "2.11.1", None),
    ("sklearn", "training", "1.2-1", "py3"),
    ("xgboost", "training", "1.7-1", "py3"),
    ("xgboost", "training", "1", None),
    ("spark", "processing", "3.3", "py39"),
)
SUFFIXES = {"cn-": "amazonaws.com.cn", "us-iso-": "c2s.ic.gov", "us-isob-": "sc2s.sgov.gov"}

for framework, scope, version, python in ASKED:
    given = {"version": version, "py_version": python, "image_scope": scope, "instance_type": "ml.m5.large"}
    retrieved = image_uris.retrieve(framework, "ap-northeast-2", **given)
    print(retrieved)
    document = json.loads((CONFIGURATIONS / f"{framework}.json").read_text())
    configs = document.get(scope, document)["versions"]
    # TensorFlow 1 runs no script for TensorFlow 2.
    kept = {one: configs[one] for one in configs if framework != "tensorflow" or one.startswith("2.")}
    for one, config in kept.items():
        for region, account in config["registries"].items():
            suffix = next((SUFFIXES[start] for start in SUFFIXES if region.startswith(start)), "amazonaws.com")
            tag = retrieved.partition(":")[2].replace(version, one)
            print(f"{account}.dkr.ecr.{region}.{suffix}/{config['repository']}:{tag}")
