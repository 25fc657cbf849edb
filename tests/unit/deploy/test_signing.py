"""Where the journal's key is: made for the local stack, read where it is set, refused where others may read it."""

from pathlib import Path

import pytest

from consumers.audit.ed25519 import new_key
from deploy.settings import Settings, load_settings
from deploy.signing import checker_of, signer_of
from schemas.errors import Misconfigured


def settings(folder: Path, **audit: object) -> Settings:
    return load_settings(stack={"data": folder}, audit=audit)


def test_the_local_stacks_key_is_made_once(tmp_path: Path) -> None:
    first = signer_of(settings(tmp_path))
    assert signer_of(settings(tmp_path)).key == first.key
    assert (tmp_path / "audit" / "key.pem").stat().st_mode & 0o077 == 0
    digest = bytes(32)
    assert checker_of(settings(tmp_path)).holds(first.key, digest, first.sign(digest))


def test_public_keys_that_are_set_are_the_only_ones(tmp_path: Path) -> None:
    first, second = signer_of(settings(tmp_path / "a")), signer_of(settings(tmp_path / "b"))
    pinned = tmp_path / "first.pem"
    pinned.write_bytes(first.public_pem)
    checker = checker_of(settings(tmp_path / "b", public_keys=(pinned,)))
    digest = bytes(32)
    assert checker.holds(first.key, digest, first.sign(digest))
    assert not checker.holds(second.key, digest, second.sign(digest))


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(new_key())
    file.chmod(0o644)
    with pytest.raises(Misconfigured, match="others than its owner"):
        signer_of(settings(tmp_path, key=file))


def test_a_key_that_is_not_there_is_not_made_where_one_is_set(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        signer_of(settings(tmp_path, key=tmp_path / "none.pem"))
    with pytest.raises(Misconfigured, match="cannot be read"):
        checker_of(settings(tmp_path, public_keys=(tmp_path / "none.pem",)))
