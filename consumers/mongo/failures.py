"""The one place where the driver's errors become ours, by type and code."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    ConnectionFailure,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)

from consumers.ports import StoreUnavailable
from schemas.errors import DependencyUnavailable, Misconfigured

_REFUSED: Final = frozenset({13, 18, 8000})
"""Unauthorized, AuthenticationFailed, AtlasError: the credentials are not accepted."""

_PASSING: Final = frozenset(
    {
        *(6, 7, 24, 43, 46, 50, 89, 91, 112, 134, 175, 189, 202, 237, 244, 246, 251, 262, 290, 317, 9001, 10058),
        *(10107, 11600, 11601, 11602, 13435, 13436, 14031),
    }
)
"""Codes of a server that stops, fails over, is out of time, memory or disk; and of work that lost a race."""


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Raise DependencyUnavailable or Misconfigured for what the driver raises; an error that is a bug stays itself."""
    try:
        yield
    except ConfigurationError as error:
        raise Misconfigured(f"{what}: the MongoDB address or its options are wrong") from error
    except (ConnectionFailure, AutoReconnect, NetworkTimeout, ExecutionTimeout, WTimeoutError) as error:
        raise StoreUnavailable(f"{what}: {type(error).__name__}") from error
    except OperationFailure as error:
        if error.code in _REFUSED:
            raise Misconfigured(f"{what}: MongoDB refused the credentials") from error
        if passing(error):
            raise DependencyUnavailable(f"{what}: MongoDB error {error.code}") from error
        raise
    except InvalidOperation:
        raise
    except PyMongoError as error:
        if passing(error):
            raise DependencyUnavailable(f"{what}: {type(error).__name__}") from error
        raise


def passing(error: PyMongoError) -> bool:
    """Return whether the same call may succeed later."""
    if error.has_error_label("TransientTransactionError") or error.has_error_label("RetryableWriteError"):
        return True
    return isinstance(error, OperationFailure) and bool(codes(error) & _PASSING)


def codes(error: OperationFailure) -> set[int | None]:
    """Return the server's codes; those of a bulk write are in its details."""
    failures = (error.details or {}).get("writeErrors", ())
    return {error.code, *(failure.get("code") for failure in failures)}
