"""kill -9 in the middle of an import of 20,000 products."""

from apps.integrations.connectors.otter import client as otter
from apps.syncs import reading

from .world import PATIENCE, Import, World, committed, repeated

PRODUCTS, EARLY = 20_000, 20  # pages that have to be in before somebody dies


def test_a_killed_worker_comes_back_and_goes_on_from_the_last_page(world: World):
    with world.importing("great-hats", products=PRODUCTS) as shop:
        shop.reaches(EARLY)
        killed = world.kill_worker()
        goes_on_from_the_last_page(shop)
        assert world.run.children["worker"].pid != killed


def test_a_worker_whose_pool_is_killed_goes_on_from_the_last_page(world: World):
    with world.importing("great-shoes", products=PRODUCTS) as shop:
        shop.reaches(EARLY)
        worker = world.run.children["worker"].pid
        world.kill_pool()
        goes_on_from_the_last_page(shop)
        assert world.run.children["worker"].pid == worker


def goes_on_from_the_last_page(shop: Import) -> None:
    """Checks how an import survives the kill just now."""
    cursor = shop.row()["cursor"]
    before = shop.asked()
    stood_still = shop.seconds_to_next_page()
    print(f"{stood_still:.1f} s from the kill to the next page")
    everything = shop.arrived()
    after = shop.asked()[len(before) :]
    assert stood_still < PATIENCE
    assert committed(before, cursor).isdisjoint(after)
    assert repeated(before + after) <= reading.AHEAD // otter.PAGE, "what was read ahead and not yet written"
    assert (everything.products, everything.is_equal) == (PRODUCTS, True), everything
