"""What the composition adds to the project's errors; `schemas.errors` says what happens next for each.

NoSuchPartner               a partner application that is asked for is not there
WorkerFailed                a process of several ended; this one ends with its exit code
AmbiguousReplacement        a recording has more than one record for an entry of the quarantine
RebuildStopped              a rebuild was told to stop before its end
DependencyUnavailable
  StackFailed               a server of the local stack did not start or stop
Misconfigured
  InvalidSettings           a setting is wrong or missing
  NoArchive                 a database that is to be read holds no archive
  TargetRefused             a database that is to be rebuilt into may not be written
  NotInstalled              a program of the local stack is missing or cannot run here
"""

from schemas.errors import DependencyUnavailable, LyncArchiverError, Misconfigured


class StackFailed(DependencyUnavailable):
    """A server of the local stack did not start, stop or answer in time."""


class InvalidSettings(Misconfigured):
    """A setting is wrong, or one that is needed is missing."""


class NotInstalled(Misconfigured):
    """A program of the local stack is missing, altered or cannot run on this machine."""


class NoArchive(Misconfigured):
    """A database that is to be read holds no archive; an empty one is no answer to a name that was misspelt."""


class TargetRefused(Misconfigured):
    """An archive cannot be rebuilt into this database."""


class RebuildStopped(LyncArchiverError):
    """A rebuild was told to stop; what it wrote stays, and it can go on."""


class NoSuchPartner(LyncArchiverError):
    """There is no partner application of that name."""


class AmbiguousReplacement(LyncArchiverError):
    """A recording that records are to be replaced from has more than one at one place."""


class WorkerFailed(LyncArchiverError):
    """One of several processes ended with this exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
