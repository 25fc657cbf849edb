"""What stands for people, identifiers and texts: of the same shape, the same for the same, and a secret's own."""

import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from producers.alphabets import HEX_LOWER, HEX_UPPER, Alphabet, alphabet, alphabet_of
from producers.permutation import permuted

_PROSE: Final = {"a": alphabet("jkqvwxz"), "A": alphabet("JKQVWXZ"), "0": alphabet("0123456789")}
"""Letters that hardly make a word of any language among themselves, so that no word comes up by chance."""

_HOST: Final = r"@([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)"
_ADDRESS: Final = re.compile(rf"(?:(?<=sip:)([a-z0-9!$&'*+./=?_~%-]+)|([a-z0-9._%+-]+)){_HOST}")
_SCHEME: Final = re.compile("sip:")
_HEX_LOWER: Final = re.compile(
    r"(?<![0-9a-zA-Z])(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9a-zA-Z])"
)
_HEX_UPPER: Final = re.compile(
    r"(?<![0-9a-zA-Z])(?:[0-9A-F]{64}|[0-9A-F]{32}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})(?![0-9a-zA-Z])"
)
_NEVER_UTF8: Final = bytes(range(0xF8, 0x100))
_ASCII_ONLY: Final = dict.fromkeys(range(0x80, 0x100), "\x80")
_CACHED: Final = 4096
_CACHED_CHARS_MAX: Final = 256


class Pseudonyms:
    """Makes pseudonyms that depend on `secret` and on what they stand for, and on nothing else.

    Whoever has the secret can test guesses of what a pseudonym stands for. Lengths, times and punctuation stay, which
    may tell who was who to somebody who knows the conversation.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = hashlib.sha256(secret).digest()
        self._short_identifier = lru_cache(maxsize=_CACHED)(self._identifier)
        self._short_prose = lru_cache(maxsize=_CACHED)(self._prose)

    def identifier(self, text: str) -> str:
        """Return what stands for an address, an id or a URI; different ones stay different.

        An address inside is replaced as it is alone, and its host as it is in other addresses. GUIDs and 32 or 64
        hexadecimal digits stay such; other letters and digits stand for letters and digits, and `sip:` for itself.
        """
        return self._short_identifier(text) if len(text) <= _CACHED_CHARS_MAX else self._identifier(text)

    def prose(self, text: str) -> str:
        """Return what stands for a text, character by character; short texts that differ may become the same."""
        return self._short_prose(text) if len(text) <= _CACHED_CHARS_MAX else self._prose(text)

    def raw(self, value: bytes) -> bytes:
        """Return what stands for bytes, as many: prose where they are UTF-8, and never UTF-8 where they are not."""
        try:
            return self.prose(value.decode()).encode()
        except UnicodeDecodeError:
            ascii_text = self._prose(value.decode("latin-1").translate(_ASCII_ONLY)).encode("latin-1")
            noise = self._stream(b"raw", value)
            return bytes(
                _NEVER_UTF8[mark % len(_NEVER_UTF8)] if byte >= 0x80 else replaced
                for byte, replaced, mark in zip(value, ascii_text, noise, strict=True)
            )

    def _identifier(self, text: str) -> str:
        chars: list[str] = list(text)
        alphabets: list[Alphabet | None] = [alphabet_of(char) for char in chars]
        for pattern, hexadecimal in ((_HEX_LOWER, HEX_LOWER), (_HEX_UPPER, HEX_UPPER)):
            for match in pattern.finditer(text):
                for place in range(*match.span()):
                    alphabets[place] = None if chars[place] == "-" else hexadecimal
        for match in _SCHEME.finditer(text):
            alphabets[match.start() : match.end()] = [None] * len(match[0])
        for match in _ADDRESS.finditer(text):
            for group in (1, 2, 3):
                if match[group] is not None:
                    self._permute(chars, alphabets, range(*match.span(group)))
        self._permute(chars, alphabets, range(len(chars)))
        return "".join(chars)

    def _permute(self, chars: list[str], alphabets: list[Alphabet | None], places: range) -> None:
        """Replace the characters at these places together, and mark them as done."""
        open_places = [(place, found) for place in places if (found := alphabets[place]) is not None]
        if not open_places:
            return
        before = [chars[place] for place, _ in open_places]
        after = permuted(self._secret, before, [found for _, found in open_places])
        for (place, _), char in zip(open_places, after, strict=True):
            chars[place] = char
            alphabets[place] = None

    def _prose(self, text: str) -> str:
        return "".join(self._replaced(text))

    def _replaced(self, text: str) -> Iterator[str]:
        before = ""
        for char, mark in zip(text, self._stream(b"prose", text.encode(errors="surrogatepass")), strict=False):
            found = _prose_alphabet(char)
            if found is not None:
                place = mark % len(found.chars)
                if found.chars[place].lower() == before.lower():  # xxxx may be somebody's word
                    place = (place + 1) % len(found.chars)
                before = found.chars[place]
            else:
                before = char
            yield before

    def _stream(self, purpose: bytes, value: bytes) -> bytes:
        """Return as many bytes as the value has, that depend on it and on the secret (SHAKE256, FIPS 202)."""
        return hashlib.shake_256(self._secret + purpose + value).digest(len(value))


@lru_cache(maxsize=8192)
def _prose_alphabet(char: str) -> Alphabet | None:
    if not char.isascii():
        return alphabet_of(char)
    if char.isdigit():
        return _PROSE["0"]
    if char.isalpha():
        return _PROSE["A" if char.isupper() else "a"]
    return None
