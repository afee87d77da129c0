"""The storage of S3: buckets, objects, versions and uploads, in a folder. It knows no HTTP and no XML.

`Store` (store.py) is the way in; what passes through it is in records.py and conditions.py. Refusals are AwsErrors with
S3's codes and texts (refusals.py).
"""
