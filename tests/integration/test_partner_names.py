"""Which partner a command means, on a real mongod: one that is named, or none."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from consumers.mongo.layout import prepare
from consumers.mongo.store import connect
from consumers.tokens.partner import PartnerApplication
from deploy.errors import NoSuchPartner
from deploy.settings import load_settings
from deploy.trust import Trust, trust_of
from schemas.clock import SystemClock
from schemas.principals import LYNC, Principal
from tests.conftest import StackAddresses
from tests.support.trust import PARTNER

NAMESAKE = replace(PARTNER, principal=Principal(LYNC, "fabrikam.example"))


@pytest.fixture
async def trust(stack: StackAddresses, database: str) -> AsyncIterator[Trust]:
    """An archive that trusts two partners of one name."""
    opened = connect(stack.mongodb_uri, database)
    await prepare(opened)
    trust = trust_of(load_settings(), opened, SystemClock())
    for partner in (PARTNER, NAMESAKE):
        await trust.partners.put(partner)
    yield trust
    opened.client.close()


async def test_a_name_that_two_partners_have_means_neither(trust: Trust) -> None:
    """Nobody disables one of two namesakes and believes that it was the other."""
    with pytest.raises(NoSuchPartner, match=r"several .* say which: .*@contoso\.example, .*@fabrikam\.example$"):
        await trust.partner("lync")


@pytest.mark.parametrize("partner", [PARTNER, NAMESAKE], ids=["the one", "the other"])
async def test_a_principal_means_one_partner(trust: Trust, partner: PartnerApplication) -> None:
    """Whatever partners are called, each can be meant."""
    assert await trust.partner(str(partner.principal)) == partner
