"""Which settings judge which partition, and which were chosen for it."""

from __future__ import annotations

from datetime import UTC, datetime

from dagster_monitoring.stores import Chosen, DeclarationInForce, Store

NOW = datetime(2024, 5, 2, 6, tzinfo=UTC)


def put(store: Store, version: str, valid_from: str, model: str = "m") -> None:
    store.declarations.put_in_force(
        DeclarationInForce(model=model, version=version, valid_from=valid_from, created_at=NOW)
    )


def listed(store: Store) -> list[tuple[str, str]]:
    return [(d.version, d.valid_from) for d in store.declarations.list("m")]


def test_versions_judge_in_order_and_replace_what_begins_no_earlier(store: Store):
    put(store, "a", "2024-05-01")
    put(store, "b", "2024-05-09")
    put(store, "c", "2024-05-05", model="other")
    assert listed(store) == [("a", "2024-05-01"), ("b", "2024-05-09")]
    put(store, "c", "2024-05-09")
    assert listed(store) == [("a", "2024-05-01"), ("c", "2024-05-09")]
    put(store, "d", "2024-05-03")
    assert listed(store) == [("a", "2024-05-01"), ("d", "2024-05-03")]


def test_settings_are_kept_once_and_outlive_what_replaced_them(store: Store):
    store.declarations.keep("m", "a", "{}")
    store.declarations.keep("m", "a", "not read")
    put(store, "a", "2024-05-01")
    put(store, "b", "2024-05-01")
    assert store.declarations.settings("m", "a") == "{}"
    assert store.declarations.settings("m", "b") is None
    assert store.declarations.settings("other", "a") is None


def test_a_choice_lasts_until_another_or_none(store: Store):
    first, second = (Chosen(version=v, baseline_version="b-1") for v in ("a", "b"))
    store.declarations.choose("m", "2024-05-01", ["drift", "quality"], first)
    store.declarations.choose("m", "2024-05-01", ["drift"], second)
    assert store.declarations.chosen("m", "2024-05-01") == {"drift": second, "quality": first}
    assert store.declarations.chosen("m", "2024-05-02") == {}
    store.declarations.choose("m", "2024-05-01", ["quality"], None)
    assert store.declarations.chosen("m", "2024-05-01") == {"drift": second}
