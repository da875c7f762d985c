"""From the times that single monitors were in trouble to incidents: one a cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.incidents.episodes import RANK, Episode
from dagster_monitoring.incidents.incident import Cause, Member

_ORDER = {cause: place for place, cause in enumerate(Cause)}


@dataclass(frozen=True, slots=True)
class Group:
    """Episodes with one cause: what an incident is made of.

    Args:
        cause: the one furthest upstream.
        episodes: at least one, in the order in which they fired.
    """

    cause: Cause
    episodes: tuple[Episode, ...]

    @property
    def first(self) -> str:
        """The first partition in trouble."""
        return min(e.first for e in self.episodes)

    @property
    def fired(self) -> str:
        """The partition at which the first of them fired."""
        return min(e.fired for e in self.episodes)

    @property
    def last(self) -> str:
        """The last partition in trouble."""
        return max(e.last for e in self.episodes)

    @property
    def resolved(self) -> str | None:
        """The partition at which the last of them was over; ``None`` while one lasts."""
        return _over(self.episodes)

    @property
    def severity(self) -> Severity:
        """The worst of them."""
        return max((e.severity for e in self.episodes), key=RANK.__getitem__)

    @property
    def members(self) -> tuple[Member, ...]:
        """One a monitor, the earliest first."""
        by_name: dict[str, list[Episode]] = {}
        for episode in self.episodes:
            by_name.setdefault(episode.monitor, []).append(episode)
        found = [
            Member(
                monitor=name,
                kind=own[0].kind,
                severity=max((e.severity for e in own), key=RANK.__getitem__),
                first=min(e.first for e in own),
                last=max(e.last for e in own),
                detail=own[-1].detail,
                resolved=_over(own),
            )
            for name, own in by_name.items()
        ]
        return tuple(sorted(found, key=lambda member: (member.first, member.monitor)))

    def after(self, partition: str) -> Group | None:
        """What is left of it when all up to a partition is done with; ``None``: nothing."""
        left = []
        for episode in self.episodes:
            places = [place for place, key in enumerate(episode.bad) if key > partition]
            if places:
                bad = tuple(episode.bad[place] for place in places)
                ends = tuple(episode.ends[place] for place in places if place < len(episode.ends))
                fired = max(episode.fired, bad[0])
                left.append(replace(episode, bad=bad, ends=ends, first=bad[0], fired=fired))
        return Group(self.cause, tuple(left)) if left else None


def group(episodes: Iterable[Episode]) -> list[Group]:
    """Episodes put together by cause, in the order in which they began to fire.

    Two belong together when they overlap in time and are of the same cause, or the earlier one's
    explains the other: a day whose rows are broken also drifts, and is one incident. What fires at
    the same partition is taken from upstream down.

    Pure: the same episodes in any order give the same groups.
    """
    groups: list[Group] = []
    for episode in sorted(episodes, key=lambda e: (e.fired, _ORDER[e.cause], e.monitor, e.first)):
        place = _place(groups, episode)
        if place is None:
            groups.append(Group(episode.cause, (episode,)))
        else:
            found = groups[place]
            groups[place] = Group(found.cause, (*found.episodes, episode))
    return groups


def _over(episodes: Sequence[Episode]) -> str | None:
    """The partition at which the last of them was over; ``None`` while one lasts."""
    ends = [e.resolved for e in episodes]
    return None if None in ends else max(end for end in ends if end is not None)


def _place(groups: list[Group], episode: Episode) -> int | None:
    """The newest group that an episode belongs to: of its own cause, else of one that explains."""
    running = [
        place
        for place, group in enumerate(groups)
        if group.resolved is None or group.resolved >= episode.first
    ]
    for fits in (
        lambda cause: cause is episode.cause,
        lambda cause: cause.explains(episode.cause),
    ):
        for place in reversed(running):
            if fits(groups[place].cause):
                return place
    return None
