"""S3's protocol over the storage in `samebox.s3`: what a request says, what the storage is asked, what is answered.

`endpoint` is the ASGI callable. An operation is a function of an `S3Request` that gives an `S3Response`; the modules
that end with OPERATIONS hold them. They run in worker threads and read a body as it comes.
"""
