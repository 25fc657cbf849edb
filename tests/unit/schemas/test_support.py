"""The support matrix: what is supported, and every refusal by its name."""

import itertools

import pytest

from schemas.support import (
    MATRIX,
    Deployment,
    Feature,
    Installation,
    Product,
    Reason,
    UnsupportedTopology,
    Version,
    check_supported,
)

ON, OFF = Deployment.ONLINE, Deployment.ON_PREMISES
EXCHANGE, SHAREPOINT = Product.EXCHANGE, Product.SHAREPOINT
F = Feature


def refusal(
    lync: Deployment, partner: Installation, feature: Feature, *, cross_premises: bool = False
) -> Reason | None:
    """Return why the combination is refused, or None where it is not."""
    try:
        check_supported(lync, partner, feature, cross_premises=cross_premises)
    except UnsupportedTopology as refused:
        return refused.reason
    return None


@pytest.mark.parametrize("feature", Feature)
@pytest.mark.parametrize(
    ("lync", "deployment", "version"), [(OFF, OFF, Version.V2013), (OFF, OFF, Version.V2016), (ON, ON, Version.ONLINE)]
)
def test_the_two_scenarios_have_every_feature(
    lync: Deployment, deployment: Deployment, version: Version, feature: Feature
) -> None:
    """Both sides on premises with Exchange 2013 or 2016, and both online: everything works."""
    assert refusal(lync, Installation(EXCHANGE, deployment, version), feature) is None


@pytest.mark.parametrize("feature", Feature)
@pytest.mark.parametrize("product", Product)
def test_across_premises_nothing_is_supported(product: Product, feature: Feature) -> None:
    """On premises with online is refused by name, whatever is wanted, unless the switch is on."""
    assert refusal(OFF, Installation(product, ON, Version.ONLINE), feature) is Reason.CROSS_PREMISES
    assert refusal(ON, Installation(product, OFF, Version.V2013), feature) is Reason.CROSS_PREMISES


@pytest.mark.parametrize(
    ("lync", "deployment", "version", "works"),
    [
        (OFF, ON, Version.ONLINE, set(Feature)),
        (ON, OFF, Version.V2016, {F.HISTORY, F.MISSED}),
        (ON, OFF, Version.V2013, {F.HISTORY, F.MISSED}),
        (ON, OFF, Version.V2010, {F.MISSED}),
    ],
)
def test_the_switch_takes_the_hybrid_table(
    lync: Deployment, deployment: Deployment, version: Version, works: set[Feature]
) -> None:
    """With the later guidance each column of the combination table holds."""
    partner = Installation(EXCHANGE, deployment, version)
    assert {feature for feature in Feature if refusal(lync, partner, feature, cross_premises=True) is None} == works


@pytest.mark.parametrize(
    ("version", "feature"),
    [
        (Version.V2010, F.ARCHIVING),
        (Version.V2010, F.CONTACTS),
        (Version.V2010, F.SEARCH),
        (Version.V2007, F.ARCHIVING),
        (Version.V2003, F.HISTORY),
    ],
)
def test_what_an_older_release_lacks_is_refused_by_name(version: Version, feature: Feature) -> None:
    """Older Exchange integrates, but not for what came later."""
    assert refusal(OFF, Installation(EXCHANGE, OFF, version), feature) is Reason.OLDER_VERSION


def test_sharepoint_searches_and_keeps_no_archive() -> None:
    """SharePoint is a partner for discovery; nothing is archived into it."""
    partner = Installation(SHAREPOINT, OFF, Version.V2013)
    assert refusal(OFF, partner, F.SEARCH) is None
    assert refusal(OFF, partner, F.ARCHIVING) is Reason.NOT_OFFERED


def test_a_release_that_does_not_exist_there_is_refused() -> None:
    """There is no Exchange 2013 online, and nothing online has a year."""
    assert refusal(ON, Installation(EXCHANGE, ON, Version.V2013), F.ARCHIVING) is Reason.VERSION_MISMATCH
    assert refusal(OFF, Installation(EXCHANGE, OFF, Version.ONLINE), F.ARCHIVING) is Reason.VERSION_MISMATCH


def test_the_table_has_a_row_for_every_pair() -> None:
    """No combination of deployments and products is forgotten."""
    assert MATRIX.keys() == set(itertools.product(Deployment, Product, Deployment))
