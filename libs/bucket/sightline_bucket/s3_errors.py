"""What the errors of S3 and compatible stores mean: of one object, of the whole bucket, and in words for a person."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError
from sightline_service.redaction import redact_message

STORE_ERRORS = (BotoCoreError, ClientError, ResponseParserError, OSError)
"""All that a call of the client raises, and the reading of an answer's body."""
INTERRUPTED = (HTTPClientError, IncompleteReadError)
"""The store was reached, and its answer did not come, or not whole."""
_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError)
_CREDENTIALS_REFUSED = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "TokenRefreshRequired",
    "RequestTimeTooSkewed",
}
_OVERLOADED = {"SlowDown", "Throttling", "ThrottlingException", "TooManyRequests", "RequestLimitExceeded", "429"}
_OF_THE_STORE = {"NoSuchBucket", *_CREDENTIALS_REFUSED, *_OVERLOADED}
_OTHER_REGION = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"}
_RIGHTS = "are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY right, and do they allow s3:ListBucket and s3:GetObject?"


def code(error: Exception) -> str:
    """Return the store's code of an error, or the HTTP status where it gave none; empty where it did not answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def status(error: Exception) -> int:
    """Return the HTTP status of an error; 0 where the store did not answer."""
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_of_the_store(error: Exception) -> bool:
    """Return whether an error on one object is true of the store whatever is asked."""
    if isinstance(error, ClientError):
        return code(error) in _OF_THE_STORE
    return not isinstance(error, INTERRUPTED)


def explain_bucket(error: Exception) -> str:
    """Return what is wrong with the whole bucket, to go on after its name."""
    why = code(error)
    if why == "NoSuchBucket" or (why == "404" and status(error) == 404):
        return "does not exist: was it deleted? Is BUCKET_URL right?"
    if why in _CREDENTIALS_REFUSED:
        return f"cannot be reached: the store refuses the credentials ({why}); {_RIGHTS}"
    if why in _OTHER_REGION or status(error) == 301:
        return "cannot be reached: it is in another region; set AWS_REGION to that"
    if status(error) in (401, 403):
        return f"cannot be reached: the store refuses everything ({why}); {_RIGHTS}"
    if isinstance(error, _NO_CREDENTIALS):
        return f"cannot be reached: there are no credentials; {_RIGHTS}"
    return f"cannot be reached: {in_one_line(error)}"


def explain_object(error: Exception, storage_class: str) -> str:
    """Return why one object cannot be read, though its bucket answers."""
    why = code(error)
    if why == "InvalidObjectState" and isinstance(error, ClientError):
        details = error.response.get("Error", {})
        archive = details.get("AccessTier") or details.get("StorageClass") or storage_class or "an archive"
        return f"archived in {archive}: restore it to have it indexed"
    if status(error) in (401, 403):
        return f"the store forbids reading it ({why}): is s3:GetObject allowed for it, and the key that encrypts it?"
    if status(error) == 404:
        return "the store lists it, but finds nothing by its name"
    if status(error) >= 500:
        return f"the store fails to read it ({in_one_line(error)})"
    return f"reading it failed: {in_one_line(error)}"


def in_one_line(error: Exception) -> str:
    """Return an error in one line, without what is secret in URLs."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        text = " ".join(str(details[name]) for name in ("Code", "Message") if details.get(name))
    else:
        text = str(error)
    return redact_message(" ".join(text.split()))[:300] or type(error).__name__
