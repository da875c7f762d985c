"""Deliveries: taken in once for each content, half-way ones gone on with, bad ones set aside."""

from datetime import UTC, datetime, timedelta

from dagster_monitoring.stores import DeliveryState, Store

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_a_delivery_is_known_by_its_address_and_content_for_its_model(store: Store):
    taken = DeliveryState(uri="file:///a", fingerprint="10:1", rows=7, finished=False)
    store.deliveries.note("m", taken, now=NOON)
    (found,) = store.deliveries.known("m", ["file:///a", "file:///b"]).values()
    assert (found.fingerprint, found.rows, found.finished) == ("10:1", 7, False)
    assert found.noted_at == NOON
    assert store.deliveries.known("other", ["file:///a"]) == {}
    store.deliveries.note("m", DeliveryState(uri="file:///a", fingerprint="12:2"), now=NOON)
    assert store.deliveries.known("m", ["file:///a"])["file:///a"].fingerprint == "12:2"
    assert store.deliveries.count("m") == 1


def test_more_addresses_than_one_query_takes_are_all_known(store: Store):
    uris = [f"file:///{number}" for number in range(1_201)]
    with store.transaction():
        for uri in uris:
            store.deliveries.note("m", DeliveryState(uri=uri, fingerprint="1"), now=NOON)
    assert set(store.deliveries.known("m", uris)) == set(uris)


def test_what_was_set_aside_is_listed_until_it_is_taken_in(store: Store):
    for minute, uri in enumerate(("b", "a")):
        bad = DeliveryState(uri=uri, fingerprint="1", fault=f"{uri} is cut off \x00")
        store.deliveries.note("m", bad, now=NOON + timedelta(minutes=minute))
    assert [s.uri for s in store.deliveries.set_aside("m")] == ["b", "a"]
    store.deliveries.note("m", DeliveryState(uri="b", fingerprint="2"), now=NOON)
    assert [s.uri for s in store.deliveries.set_aside("m")] == ["a"]


def test_what_was_set_aside_and_removed_is_forgotten_and_nothing_else(store: Store):
    for uri, fault in (("bad", "cut off"), ("gone", "cut off"), ("good", None)):
        noted = DeliveryState(uri=uri, fingerprint="1", fault=fault)
        for model in ("m", "other"):
            store.deliveries.note(model, noted, now=NOON)
    assert store.deliveries.forget_set_aside("m", {"bad"}) == 1
    assert set(store.deliveries.known("m", ["bad", "gone", "good"])) == {"bad", "good"}
    assert store.deliveries.forget_set_aside("m", {"bad"}) == 0
    assert len(store.deliveries.set_aside("other")) == 2
