"""Keys that S3 takes and our S3 cannot keep, because its objects are files."""

PART_BYTES = 255
KEY_BYTES = 1024  # S3's own limit


def cannot_keep(key: str) -> str:
    """Why an object of this key cannot be kept; empty where it can. What else is in the bucket is not looked at."""
    parts = key.split("/")
    if any(part in ("", ".", "..") for part in parts) or any(ord(letter) < 32 for letter in key):
        return "Keys are kept as file names: no empty part, no '.', no '..' and no control character."
    if any(len(part.encode()) > PART_BYTES for part in parts):
        return f"Keys are kept as file names: a part between slashes has at most {PART_BYTES} bytes."
    return ""
