"""The one door to PyJWT for issuing: a header and claims, in the order given, become a token.

The order is the samples' (domain reference, section 5.3); the library would sort the header.
"""

from typing import Any, Final

import jwt

from producers.tokens.certificate import SigningKey

ALGORITHM: Final = "RS256"


def signed(key: SigningKey, claims: dict[str, Any], header: dict[str, Any]) -> str:
    """Return the claims signed by the key; `header` is what stands in the header behind `typ` and `alg`."""
    return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers=header, sort_headers=False)


def unsigned(claims: dict[str, Any]) -> str:
    """Return the claims in a token that nobody signed: the outer token of a user token, and nothing else."""
    return jwt.encode(claims, "", algorithm="none", sort_headers=False)
