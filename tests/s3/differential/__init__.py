"""Our S3 beside a reference: each behaviour is a function that makes some calls and returns what is to be compared.

It runs against our server and against moto's, each time in a bucket of its own. Where the two differ, `known/` has what
AWS answers and the source, and ours is compared with that.
"""
