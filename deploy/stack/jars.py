"""Kafka's jars: which they are, where they lie in the user's Maven folder, and whether they are the right bytes.

Starting needs neither the network nor a resolver: `fetch_jars` leaves the list of paths in the user's cache, and
`verified_jars` reads it and checks every sum against `kafka.sha256`.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from deploy.errors import NotInstalled

SUMS: Final = Path(__file__).with_name("kafka.sha256")
INSTALL: Final = "run `python -m deploy.stack.download`"


def expected_sums() -> dict[str, str]:
    """Return the SHA-256 of each jar by its Maven coordinate, in class path order."""
    lines = SUMS.read_text().splitlines()
    return {coordinate: digest for digest, coordinate in (line.split() for line in lines)}


def paths_file(cache: Path) -> Path:
    """Return the file that lists the jars; its name changes with what is expected of them."""
    return cache / f"kafka-{hashlib.sha256(SUMS.read_bytes()).hexdigest()[:12]}.jars"


def verified_jars(cache: Path) -> list[Path]:
    """Return the jars' paths after checking every one.

    Raises:
        NotInstalled: one is missing or is not the jar whose sum is checked in.
    """
    listing = paths_file(cache)
    if not listing.exists():
        raise NotInstalled(f"Apache Kafka is not downloaded yet: {INSTALL}")
    jars = [Path(line) for line in listing.read_text().splitlines()]
    sums = expected_sums()
    if len(jars) != len(sums):
        raise NotInstalled(f"{listing} is damaged: delete it and {INSTALL}")
    for jar, (coordinate, expected) in zip(jars, sums.items(), strict=True):
        found = sum_of(jar)
        if found is None:
            raise NotInstalled(f"{coordinate} is missing at {jar}: {INSTALL}")
        if found != expected:
            raise NotInstalled(f"{jar} is not the expected {coordinate} (its SHA-256 differs): {INSTALL}")
    return jars


def fetch_jars(cache: Path, progress: Callable[[str], None]) -> list[Path]:
    """Download what is missing into the user's Maven folder, check all, and record the paths.

    Each coordinate is resolved by itself, so that no dependency's wish changes a version.

    Raises:
        NotInstalled: a jar cannot be downloaded, or its sum differs even when downloaded anew.
    """
    sums = expected_sums()
    jars = _resolve(sums, progress)
    listing = paths_file(cache)
    listing.parent.mkdir(parents=True, exist_ok=True)
    part = listing.with_suffix(".part")
    part.write_text("".join(f"{jar}\n" for jar in jars))
    part.replace(listing)
    return jars


def sum_of(path: Path) -> str | None:
    """Return the SHA-256 of a file in hexadecimal, None where there is no file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _resolve(sums: Mapping[str, str], progress: Callable[[str], None]) -> list[Path]:
    try:
        import requests  # noqa: PLC0415  what jgo downloads with, for its errors
        from jgo.config import GlobalSettings  # noqa: PLC0415  slow to import, and only ever needed here
        from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
        from jgo.maven import MavenContext  # noqa: PLC0415
    except ImportError as exc:
        raise NotInstalled("jgo is not installed: install this project's `stack` extra") from exc
    settings = GlobalSettings.load()
    maven = MavenContext(
        repo_cache=settings.repo_cache,
        remote_repos={"central": MAVEN_CENTRAL_URL, **settings.repositories},
    )
    jars = []
    for coordinate, expected in sums.items():
        progress(coordinate)
        group, name, version = coordinate.split(":")
        artifact = maven.project(group, name).at_version(version).artifact()
        try:
            jar = Path(artifact.resolve())
            if sum_of(jar) != expected:
                jar.unlink()  # half a download of before, mostly: one more try tells
                jar = Path(artifact.resolve())
        except (requests.RequestException, RuntimeError, OSError) as exc:
            raise NotInstalled(f"{coordinate} cannot be downloaded: {exc}") from exc
        if sum_of(jar) != expected:
            raise NotInstalled(f"{coordinate} was downloaded, but its SHA-256 is not the one in {SUMS.name}")
        jars.append(jar)
    return jars
