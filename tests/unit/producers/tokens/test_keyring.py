"""Keys roll over with an overlap, whole, and for all processes that use them."""

import json
import subprocess
import sys
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.tokens.certificate import SigningKey, to_pem
from producers.tokens.issuing import LIFE_S_MAX
from producers.tokens.keyring import LEAD_S, OVERLAP_S, Keyring, Keys
from schemas.errors import Misconfigured
from schemas.metadata import KEYS_MAX
from tests.support.clock import START, ManualClock
from tests.support.signing import REALM, signing_key

HOUR: Final = 3600
_CERTIFICATE: Final = "-----BEGIN CERTIFICATE"


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def named(number: int) -> SigningKey:
    """Return a key that differs from others in its thumbprint, and that costs nothing."""
    return signing_key(0)._replace(x5t=f"{number:027}")


def test_the_first_key_is_made_once(tmp_path: Path) -> None:
    """Whoever opens the folder later has the same key, and nobody else may read it."""
    clock = ManualClock()
    first = Keyring(tmp_path, REALM, clock).keys()
    assert Keyring(tmp_path, REALM, clock).keys().current.x5t == first.current.x5t
    assert [key.x5t for key in first.published] == [first.current.x5t]
    assert (tmp_path / "keys" / "keys.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_issuers_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    """Several processes find the empty folder at the same time; one makes the key, and all use it."""
    script = (
        "import sys; from pathlib import Path; from producers.tokens.keyring import Keyring; "
        "from schemas.clock import SystemClock; "
        "print(Keyring(Path(sys.argv[1]), 'contoso.example', SystemClock()).keys().current.x5t)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    issuers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    thumbprints = {issuer.communicate(timeout=60)[0].strip() for issuer in issuers}
    assert len(thumbprints) == 1
    assert thumbprints != {""}


def test_a_following_key_is_published_before_it_signs(tmp_path: Path) -> None:
    """From the roll on all know it; from its time on it signs, and the one before stays known."""
    clock = ManualClock()
    ring = Keyring(tmp_path, REALM, clock)
    old = ring.keys().current.x5t
    rolled = ring.roll(clock.now() + after(LEAD_S))
    assert rolled.following is not None
    new = rolled.following.x5t
    assert [key.x5t for key in rolled.published] == [old, new]
    clock.advance(LEAD_S - 1)
    assert ring.keys().current.x5t == old
    clock.advance(1)
    assert [key.x5t for key in ring.keys().published] == [new, old]
    clock.advance(1000 * HOUR)
    assert [key.x5t for key in ring.keys().published] == [new, old]


def test_an_issuer_that_runs_sees_what_another_process_rolled(tmp_path: Path) -> None:
    """The operator's command and the issuer share nothing but the folder."""
    clock = ManualClock()
    issuer, command = (Keyring(tmp_path, REALM, clock) for _ in range(2))
    issuer.keys()
    rolled = command.roll(clock.now() + after(LEAD_S))
    assert [key.x5t for key in issuer.keys().published] == [key.x5t for key in rolled.published]


def test_a_roll_without_lead_is_refused_unless_forced(tmp_path: Path) -> None:
    """Partners keep what they read for a day; who forces it says how long they do."""
    clock = ManualClock()
    ring = Keyring(tmp_path, REALM, clock)
    with pytest.raises(Misconfigured, match="86400 s before"):
        ring.roll(clock.now() + after(LEAD_S - 1))
    assert ring.keys().following is None
    ring.roll(clock.now() + after(5), lead_s=5)
    with pytest.raises(Misconfigured, match="5 s before"):
        ring.roll(clock.now() + after(4), lead_s=5)


def test_the_latest_roll_counts() -> None:
    """A following key that never signed is dropped for another, and needs no overlap."""
    keys = Keys(named(0)).rolled(named(1), START + after(10)).rolled(named(2), START + after(20))
    assert keys.at(START + after(15)).current == named(0)
    assert [key.x5t for key in keys.at(START + after(20)).published] == [named(2).x5t, named(0).x5t]


def test_no_token_outlives_the_overlap() -> None:
    """A key is published until all that it signed is over."""
    assert LIFE_S_MAX <= OVERLAP_S


@given(gaps=st.lists(st.floats(0, 2 * OVERLAP_S), min_size=1, max_size=KEYS_MAX - 2), age=st.floats(0, LIFE_S_MAX))
def test_a_token_that_lives_has_its_key_published(gaps: list[float], age: float) -> None:
    """However fast roll-overs follow each other, the key of a token that may live is published.

    Seen to catch: keeping only the one key before the current one.
    """
    numbers, now, keys = count(1), START, Keys(named(0))
    signed_until = {named(0).x5t: START}
    for gap_s in gaps:
        now += after(gap_s)
        keys = keys.at(now).rolled(named(next(numbers)), now)
        signed_until[keys.current.x5t] = now
        keys = keys.at(now)
        signed_until[keys.current.x5t] = now
        published = {key.x5t for key in keys.at(now + after(age)).published}
        alive = {x5t for x5t, until in signed_until.items() if now + after(age) < until + after(LIFE_S_MAX)}
        assert alive <= published


@given(moments=st.lists(st.floats(0, 4 * OVERLAP_S), max_size=6), last=st.floats(0, 4 * OVERLAP_S))
def test_keys_depend_on_the_time_alone(moments: list[float], last: float) -> None:
    """Whether and when somebody looked in between makes no difference.

    Seen to catch: counting the overlap from when the roll-over was noticed.
    """
    start = Keys(named(0)).rolled(named(1), START + after(HOUR)).at(START + after(HOUR))
    keys = looked = start.rolled(named(2), START + after(2 * HOUR))
    for moment in sorted(moment for moment in moments if moment <= last):
        looked = looked.at(START + after(moment))
    assert looked.at(START + after(last)) == keys.at(START + after(last))


def test_more_keys_than_a_document_holds_are_refused() -> None:
    """What cannot be published must not sign."""
    keys = Keys(named(0))
    for number in range(1, KEYS_MAX):
        keys = keys.rolled(named(number), START).at(START)
    with pytest.raises(Misconfigured, match="8 keys are published"):
        keys.rolled(named(99), START)
    later = keys.at(START + after(OVERLAP_S)).rolled(named(99), START + after(OVERLAP_S))
    assert len(later.published) == 3


def _damage(text: str, kind: str) -> str:
    document = json.loads(text)
    match kind:
        case "no-json":
            return text[:-10]
        case "list":
            return "[]"
        case "no-current":
            del document["current"]
        case "null-current":
            document["current"] = None
        case "no-key":
            document["current"] = "canary"
        case "two-keys":
            foreign = to_pem(signing_key(1)).decode().partition(_CERTIFICATE)[0]
            document["current"] = foreign + _CERTIFICATE + document["current"].partition(_CERTIFICATE)[2]
        case "time-without-zone":
            document |= {"following": document["current"], "effective_at": "2026-01-05T09:00:00"}
        case "following-without-time":
            document["following"] = document["current"]
        case "no-retired":
            document["retired"] = None
    return json.dumps(document)


@pytest.mark.parametrize(
    "kind",
    [
        "no-json",
        "list",
        "no-current",
        "null-current",
        "no-key",
        "two-keys",
        "time-without-zone",
        "following-without-time",
        "no-retired",
    ],
)
def test_damaged_keys_are_refused_in_a_sentence(tmp_path: Path, kind: str) -> None:
    """Nothing is made anew over what might be mended, and nothing of the file is repeated."""
    Keyring(tmp_path, REALM, ManualClock()).keys()
    file = tmp_path / "keys" / "keys.json"
    damaged = _damage(file.read_text(), kind)
    file.write_text(damaged)
    with pytest.raises(Misconfigured, match=r"keys\.json does not hold") as refused:
        Keyring(tmp_path, REALM, ManualClock()).keys()
    assert "canary" not in str(refused.value)
    assert file.read_text() == damaged


def test_keys_that_others_may_use_are_refused(tmp_path: Path) -> None:
    """An issuer does not sign with a key that somebody else may have, nor from a folder that is open."""
    ring = Keyring(tmp_path, REALM, ManualClock())
    ring.keys()
    file = tmp_path / "keys" / "keys.json"
    file.chmod(0o640)
    with pytest.raises(Misconfigured, match="chmod 600"):
        ring.keys()
    file.chmod(0o600)
    file.parent.chmod(0o755)
    with pytest.raises(Misconfigured, match="chmod 700"):
        Keyring(tmp_path, REALM, ManualClock()).keys()
