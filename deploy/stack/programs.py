"""The programs that the local stack runs, found and checked without the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.stack.database import find_mongod
from deploy.stack.jars import verified_jars
from deploy.stack.java import find_java


@dataclass(frozen=True, slots=True)
class Programs:
    """Java, Kafka's class path and mongod."""

    java: Path
    jars: Sequence[Path]
    mongod: Path


def find_programs(*, java_home: Path | None, cache: Path) -> Programs:
    """Find every program and check Kafka's sums.

    Raises:
        NotInstalled: one is missing, altered or cannot run here.
    """
    return Programs(java=find_java(java_home), jars=verified_jars(cache), mongod=find_mongod())
