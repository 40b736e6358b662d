"""FLUSHALL: the broker is a doorbell, so nothing that is owed may stand in it alone."""

from .world import PATIENCE, World, repeated

PRODUCTS, EARLY = 20_000, 20


def test_a_broker_wiped_before_and_in_the_middle_of_an_import_loses_nothing(world: World):
    world.kill_worker()  # and nobody starts it again, so that the ring stays in the broker
    with world.importing("great-gloves", products=PRODUCTS) as shop:
        world.until(lambda: shop.row().get("state") == "queued" and world.rings(), within=PATIENCE, tended=False)
        world.wipe_broker()
        print(f"{shop.seconds_to_next_page():.1f} s from the wipe to the first page")
        shop.reaches(EARLY)
        world.wipe_broker()
        print(f"{shop.seconds_to_next_page():.1f} s from the wipe to the next page")
        everything = shop.arrived()
        assert (everything.products, everything.is_equal) == (PRODUCTS, True), everything
        assert repeated(shop.asked()) == 0
