import pytest

from apps.integrations.connectors import get_connector
from apps.integrations.connectors.base import Unreachable
from apps.onboarding import connecting, drafts
from apps.shops.models import Connection
from tests.factories import (
    brand_of,
    make_actor,
    make_brand,
    make_connection,
    make_draft,
    make_integration,
    make_member,
    make_shop,
    make_store,
)

OTTER = get_connector("otter")
State = Connection.State


def again(draft):
    return Connection.objects.get(pk=draft.pk)


def chosen(draft):
    found = again(draft)
    return found.brand, found.store, found.name, found.ext_shop_id, found.replaces


@pytest.fixture
def begun(owner):
    """A draft with a permission, and nothing chosen yet."""
    return make_draft(integration=make_integration(organization=owner.organization), created_by=owner)


def named(draft, name):
    """The draft with a store of this name chosen."""
    brand = brand_of(draft.integration)
    drafts.choose_brand(draft, brand)
    draft.store = make_store(brand=brand, name=name)
    return draft


def test_a_new_draft_knows_who_began_it_and_where(owner):
    draft = drafts.start(OTTER, organization=owner.organization, by=owner)
    assert (draft.state, draft.connector, draft.created_by) == (State.DRAFT, "otter", owner)
    assert (draft.organization, draft.next_step) == (owner.organization, "authorize")


def test_a_draft_left_before_choosing_a_store_is_gone_on_with(owner):
    first = drafts.start(OTTER, organization=owner.organization, by=owner)
    assert drafts.start(OTTER, organization=owner.organization, by=owner) == first


def test_a_draft_with_a_store_is_left_alone_and_a_new_one_begun(owner, begun):
    Connection.objects.filter(pk=begun.pk).update(store=make_store(brand=brand_of(begun.integration)))
    assert drafts.start(OTTER, organization=owner.organization, by=owner) != begun


def test_a_colleagues_draft_is_not_taken_over_by_beginning(owner, begun):
    colleague = make_member(organization=owner.organization)
    assert drafts.start(OTTER, organization=owner.organization, by=colleague) != begun


def test_another_account_forgets_what_was_chosen_with_the_first(begun):
    drafts.choose_brand(begun, brand_of(begun.integration))
    drafts.identify(begun, name="Shop", ext_shop_id="shop")
    other = make_integration(organization=begun.organization)
    drafts.attach(begun, other)
    assert again(begun).integration == other
    assert chosen(begun) == (None, None, "", "", "")


def test_the_same_account_again_keeps_what_was_chosen(begun):
    brand = brand_of(begun.integration)
    drafts.choose_brand(begun, brand)
    drafts.attach(begun, begun.integration)
    assert again(begun).brand == brand


def test_another_brand_forgets_the_store(begun):
    named(begun, "Shop").save()
    drafts.identify(begun, name="Shop", ext_shop_id="shop")
    drafts.choose_brand(begun, other := brand_of(begun.integration))
    assert chosen(begun) == (other, None, "", "", "")


def test_another_name_or_id_forgets_the_consent_to_replace(begun):
    drafts.agree_to_replace(begun, "old")
    drafts.identify(begun, name="Shop", ext_shop_id="shop")
    assert chosen(begun)[2:] == ("Shop", "shop", "")


def test_brands_of_other_accounts_and_organizations_are_not_offered(begun):
    own = brand_of(begun.integration)
    make_brand(organization=begun.organization)
    brand_of(make_integration(organization=begun.organization))
    make_brand(source=begun.integration.source)
    assert list(drafts.brands(begun)) == [own]


def test_a_chosen_store_is_asked_for_and_its_name_and_address_renewed(owner, platform):
    draft = platform.draft(owner, name="", ext_shop_id="")
    antwerp = platform.store(draft.integration, "Great Hats Antwerp")
    type(antwerp).objects.update(name="What it was called", address="")
    drafts.choose_store(draft, antwerp)
    antwerp.refresh_from_db()
    assert (antwerp.name, antwerp.address) == ("Great Hats Antwerp", "Kammenstraat 61, 2000 Antwerpen, BE")
    assert again(draft).store == antwerp


def test_a_store_that_vanished_at_the_platform_cannot_be_chosen(owner, platform):
    draft = platform.draft(owner)
    gone = make_store(brand=draft.brand)
    with pytest.raises(drafts.NotThere):
        drafts.choose_store(draft, gone)
    assert again(draft).store == draft.store


def test_a_platform_in_trouble_changes_no_choice(owner, platform):
    draft = platform.draft(owner)
    platform.sandbox.fault("server_error")
    with pytest.raises(Unreachable):
        drafts.choose_store(draft, platform.store(draft.integration, "Great Hats Antwerp"))
    assert again(draft).store == draft.store


@pytest.mark.parametrize("state", [State.CONNECTING, State.ACTIVE])
def test_choices_on_a_page_left_open_do_not_touch_a_connection_made_meanwhile(owner, state):
    connection = make_connection(organization=owner.organization, ext_shop_id="shop")
    stale = again(connection)
    stale.state = State.DRAFT
    Connection.objects.update(state=state)
    before = Connection.objects.values().get()
    drafts.identify(stale, name="Another", ext_shop_id="another")
    drafts.choose_brand(stale, brand_of(stale.integration))
    drafts.agree_to_replace(stale, "old")
    drafts.attach(stale, make_integration(organization=owner.organization))
    assert Connection.objects.values().get() == before


def test_the_connection_that_occupies_the_store_is_found(begun):
    other = make_connection(integration=begun.integration)
    begun.store = other.store
    assert drafts.ours(begun) == other


@pytest.mark.parametrize("state", [State.DRAFT, State.DISCONNECTED])
def test_a_store_that_is_not_held_is_free(begun, state):
    begun.store = make_connection(integration=begun.integration, state=state).store
    assert drafts.ours(begun) is None


def test_the_id_under_which_the_platform_holds_a_store_is_asked_for(owner, platform):
    draft = platform.draft(owner)
    assert drafts.held_at_platform(draft) is None
    platform.hold(draft.store, "old")
    assert drafts.held_at_platform(draft) == "old"


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("Great Hats Online", "great-hats-online"),
        ("Café  Zürich № 5!", "cafe-zurich-no-5"),
        ("帽子の店", "store"),
        ("---", "store"),
        ("<script>alert(1)</script>", "script-alert-1-script"),
        ("x" * 300, "x" * 60),
    ],
)
def test_the_suggested_id_reads_like_the_name_and_keeps_the_platforms_rules(begun, name, suggested):
    assert drafts.suggest_id(named(begun, name)) == suggested


def test_the_suggested_id_is_one_that_no_other_store_has(begun):
    for taken in ("shop", "shop-2", "shop-4", "shopping"):
        make_shop(integration=begun.integration, ext_shop_id=taken)
    assert drafts.suggest_id(named(begun, "Shop")) == "shop-3"


def test_a_store_that_was_connected_before_is_offered_its_former_id(begun):
    shop = make_shop(integration=begun.integration, ext_shop_id="what-it-was")
    begun.store = shop.store
    assert drafts.suggest_id(begun) == "what-it-was"


def test_an_id_in_use_at_the_platform_by_another_organization_is_not_suggested(begun):
    make_connection(ext_shop_id="shop")
    make_shop(ext_shop_id="shop-2")
    assert drafts.suggest_id(named(begun, "Shop")) == "shop-2"


def test_an_id_in_use_at_another_organizations_own_server_is_free(owner):
    begun = drafts.start(get_connector("vendure"), organization=owner.organization, by=owner)
    drafts.attach(begun, make_integration(organization=owner.organization, connector="vendure"))
    make_connection(integration=make_integration(connector="vendure"), ext_shop_id="shop", ids_are_shared=False)
    assert not begun.ids_are_shared
    assert drafts.suggest_id(named(begun, "Shop")) == "shop"


def test_a_draft_can_be_thrown_away(begun):
    assert drafts.discard(begun)
    assert not Connection.objects.exists()


def test_what_is_connected_cannot_be_thrown_away(db):
    assert not drafts.discard(make_connection())
    assert Connection.objects.count() == 1


def test_a_draft_that_another_organization_could_be_cut_off_by_is_recognised(owner, stranger, platform):
    theirs = platform.draft(stranger)
    connecting.connect(theirs, by=make_actor(stranger))
    mine = platform.draft(owner)
    assert drafts.belongs_to_others(mine, "hats-1")
    assert not drafts.belongs_to_others(mine, "somebody-else")
    assert not drafts.belongs_to_others(theirs, "hats-1")
