"""The verifier: which tokens are accepted, by rules in one fixed order (`consumers.tokens.rules`). Pure.

Two shapes are known (domain reference, section 5.3). An app-only token is signed by the partner. A user token is an
unsigned outer token that names the user, around a signed actor token that may act for users. The outer token is worth
what the actor is worth: its signature, its partner's trust and its own delegation are checked before anything in the
outer token counts.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from consumers.tokens.auth_config import AuthConfig
from consumers.tokens.claims import Actor, Life, User, actor_of, check_header, is_address, is_sid, user_of
from consumers.tokens.compact import Compact, parse_compact, token_id
from consumers.tokens.partner import PartnerApplication, PartnerKey, TrustLevel
from consumers.tokens.rules import Rule, TokenRefused
from consumers.tokens.signature import ALGORITHM, check_signature
from schemas.principals import LYNC, SHAREPOINT, Principal, parse_audience, parse_principal
from schemas.support import Deployment, Feature, UnsupportedTopology, check_supported

UserRoles = Callable[[str], frozenset[str]]
"""The roles of a user, by address in lower case; none for somebody unknown."""

ACTIVE_DIRECTORY: Final = "urn:office:idp:activedirectory"
"""Who names users by SID ([MS-SPS2SAUTH] 3.1.5)."""


class AcceptedToken(NamedTuple):
    """What an accepted token opens: for an application itself, or for one `user` and that user's mailbox alone.

    `expires_at` includes the clock skew that is allowed, and is not after the end of the key's certificate.
    """

    principal: Principal
    roles: frozenset[str]
    token_id: str
    x5t: str
    expires_at: datetime
    user: str | None
    mailboxes: frozenset[str] | None
    deployment: Deployment


def verify(
    text: str,
    *,
    config: AuthConfig,
    partners: Sequence[PartnerApplication],
    user_roles: UserRoles,
    now: datetime,
) -> AcceptedToken:
    """Return what the token opens. Raises TokenRefused with the first rule that it breaks."""
    token = parse_compact(text)
    check_header(token)
    if token.header.get("alg") == "none":
        return _verify_user(token, config, partners, user_roles, now)
    actor, partner, ends = _verify_signed(token, config, partners, now)
    if actor.delegated:
        raise TokenRefused(Rule.DELEGATION, "an actor token of a user token stands on its own")
    if partner.trust is TrustLevel.USER:
        raise TokenRefused(Rule.TRUST_LEVEL, "the partner is not trusted to act for itself")
    _check_letter_case(partner, token)
    return AcceptedToken(
        partner.principal, partner.roles, token_id(text), token.header["x5t"], ends, None, None, partner.deployment
    )


def issuer_of(text: str) -> Principal | None:
    """Return the partner that a token refused for its key, and so for nothing before it, claims to be of."""
    token = parse_compact(text)
    inner = token.claims.get("actortoken")
    return parse_principal(actor_of(parse_compact(inner) if isinstance(inner, str) else token).issuer)


def _verify_user(
    outer: Compact,
    config: AuthConfig,
    partners: Sequence[PartnerApplication],
    user_roles: UserRoles,
    now: datetime,
) -> AcceptedToken:
    inner = outer.claims.get("actortoken")
    if inner is None or outer.signature or "x5t" in outer.header or "kid" in outer.header:
        raise TokenRefused(Rule.UNSIGNED, "an unsigned token is no outer token of a user token")
    if not isinstance(inner, str):
        raise TokenRefused(Rule.BAD_CLAIM, "the actor token is not text")
    token = parse_compact(inner)
    check_header(token)
    if token.header.get("alg") == "none":
        raise TokenRefused(Rule.UNSIGNED, "the actor token is unsigned")
    user = user_of(outer)
    actor, partner, ends = _verify_signed(token, config, partners, now)
    _check_audience(user.audience, config)
    if user.issuer != actor.name or user.audience != actor.audience:
        raise TokenRefused(Rule.ACTOR, "outer and actor token are not of one issuer for one audience")
    _check_times(user.life, config, now)
    if not actor.delegated:
        raise TokenRefused(Rule.DELEGATION, "the actor may not act for users")
    if partner.trust is not TrustLevel.FULL:
        raise TokenRefused(Rule.TRUST_LEVEL, "the partner is not trusted to act for users")
    _check_letter_case(partner, token, outer)
    name = _user(user, partner)
    ends = min(ends, datetime.fromtimestamp(user.life.ends + config.skew_s, UTC))
    return AcceptedToken(
        principal=partner.principal,
        roles=user_roles(name),
        token_id=token_id(outer.text),
        x5t=token.header["x5t"],
        expires_at=ends,
        user=name,
        mailboxes=frozenset({f"sip:{name}"}),
        deployment=partner.deployment,
    )


def _verify_signed(
    token: Compact, config: AuthConfig, partners: Sequence[PartnerApplication], now: datetime
) -> tuple[Actor, PartnerApplication, datetime]:
    """Check everything that both shapes have in common, and say when it ends; the header is checked already."""
    if token.header.get("alg") != ALGORITHM:
        raise TokenRefused(Rule.ALGORITHM, f"the token is not signed by {ALGORITHM}")
    actor = actor_of(token)
    partner = next((one for one in partners if str(one.principal) == actor.issuer), None)
    if partner is None:
        raise TokenRefused(Rule.UNKNOWN_ISSUER, "the issuer is no partner application")
    key_ends = check_signature(token.text, _key(token, partner).certificate, now)
    if not partner.enabled:
        raise TokenRefused(Rule.PARTNER_DISABLED, f"partner application {partner.name} is disabled")
    _check_topology(partner, config)
    _check_audience(actor.audience, config)
    if actor.name != actor.issuer:
        raise TokenRefused(Rule.ACTOR, "the issuer does not speak for itself")
    _check_times(actor.life, config, now)
    return actor, partner, min(key_ends, datetime.fromtimestamp(actor.life.ends + config.skew_s, UTC))


def _key(token: Compact, partner: PartnerApplication) -> PartnerKey:
    """Choose among the partner's published keys by thumbprint; a key id, where there is one, must be the same."""
    x5t = token.header.get("x5t")
    if token.header.get("kid", x5t) != x5t:
        raise TokenRefused(Rule.KEY_MISMATCH, "kid and x5t name two keys")
    found = next((key for key in partner.keys if key.x5t == x5t), None)
    if found is None:
        raise TokenRefused(Rule.UNKNOWN_KEY, "the partner publishes no such key")
    return found


def _check_topology(partner: PartnerApplication, config: AuthConfig) -> None:
    feature = Feature.ARCHIVING if partner.principal.application == LYNC else Feature.SEARCH
    try:
        check_supported(partner.deployment, config.installation, feature, cross_premises=config.cross_premises)
    except UnsupportedTopology as error:
        raise TokenRefused(Rule.TOPOLOGY, str(error)) from error


def _check_audience(text: str, config: AuthConfig) -> None:
    """Application and realm compare with case, the host without, and it is one of ours ([MS-XOAUTH] 3.2.5.6)."""
    audience = parse_audience(text)
    if (
        audience is None
        or (audience.application, audience.realm) != (config.application, config.realm)
        or audience.host.lower() not in config.hosts
    ):
        raise TokenRefused(Rule.AUDIENCE, "the token is for somebody else")


def _check_times(life: Life, config: AuthConfig, now: datetime) -> None:
    if life.ends - life.begins > config.life_s_max:
        raise TokenRefused(Rule.LIFE_TOO_LONG, f"the token lives longer than {config.life_s_max:.0f} s")
    moment = now.timestamp()
    if life.begins > moment + config.skew_s:
        raise TokenRefused(Rule.NOT_YET_VALID, "the token is not valid yet")
    if life.ends <= moment - config.skew_s:
        raise TokenRefused(Rule.EXPIRED, "the token has expired")


def _check_letter_case(partner: PartnerApplication, *tokens: Compact) -> None:
    """SharePoint's profile: the values of all claims are in lower case ([MS-SPS2SAUTH] 3.1.5)."""
    if partner.principal.application != SHAREPOINT:
        return
    claims = (claim for token in tokens for claim in token.claims.items())
    texts = (value for name, value in claims if name != "actortoken" and isinstance(value, str))
    if not all(value == value.lower() for value in texts):
        raise TokenRefused(Rule.LETTER_CASE, "a claim is not in lower case")


def _user(user: User, partner: PartnerApplication) -> str:
    """Return who the user is, in lower case: by smtp, upn or sip where given, else by the name that is one."""
    if partner.principal.application == SHAREPOINT:
        if user.name_issuer != ACTIVE_DIRECTORY or not is_sid(user.name):
            raise TokenRefused(Rule.USER, "the user is not named by a SID of a domain")
        return user.address or user.name
    if not is_address(user.name):
        raise TokenRefused(Rule.USER, "the user is not named by a UPN")
    return (user.address or user.name).lower()
