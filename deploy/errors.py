"""What the composition adds to the project's errors; `schemas.errors` says what happens next for each.

NoSuchPartner               a partner application that is asked for is not there
WorkerFailed                a process of several ended; this one ends with its exit code
AmbiguousReplacement        a recording has more than one record for an entry of the quarantine
DependencyUnavailable
  StackFailed               a server of the local stack did not start or stop
Misconfigured
  InvalidSettings           a setting is wrong or missing
  NotInstalled              a program of the local stack is missing or cannot run here
"""

from schemas.errors import DependencyUnavailable, LyncArchiverError, Misconfigured


class StackFailed(DependencyUnavailable):
    """A server of the local stack did not start, stop or answer in time."""


class InvalidSettings(Misconfigured):
    """A setting is wrong, or one that is needed is missing."""


class NotInstalled(Misconfigured):
    """A program of the local stack is missing, altered or cannot run on this machine."""


class NoSuchPartner(LyncArchiverError):
    """There is no partner application of that name."""


class InvalidPolicy(LyncArchiverError):
    """What is to be set is no value that its subject can have."""


class AmbiguousReplacement(LyncArchiverError):
    """A recording that records are to be replaced from has more than one at one place."""


class WorkerFailed(LyncArchiverError):
    """One of several processes ended with this exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
