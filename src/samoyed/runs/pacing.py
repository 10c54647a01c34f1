"""Keep to the minutes one was given, on a machine that is not as fast as it was measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from samoyed.training.planning import Plan, median_of_means

LOOK_S, LOOK_SHARE = 2.0, 0.05  # between two looks: seconds, or a share of the time if longer
TOO_LONG, TOO_SHORT = 1.25, 0.8  # of the time asked for; between them all is well
LEAST_SHARE = 0.1  # of the time that is always left to come to an end, with small steps
FEWEST, QUICK_SHARE = 3, 0.1  # steps, of all: after so many it is seen whether they are quicker
LATEST = 0.6  # of the steps: a plan grows no longer, as the rate would have to rise again
MOST_GROWTH = 4.0


@dataclass
class Pace:
    """Compare how far the training has come with how far it should be.

    The plan stands as it is while the steps take about as long as they were measured to. Where
    other work on the machine makes them so slow that the whole would take a quarter longer than
    asked, the plan is shortened: the rate then falls to its end sooner, as it would have in a
    shorter plan from the beginning. Where other work only made the measured steps slow, it grows,
    also before the usual look where so few steps were planned that they would be over by then. To
    shorten it, two looks in a row must agree, and the milder one counts: other work ends.

    Args:
        plan: the steps of each stage, and what one takes.
        seconds: how long training may take in all.
    """

    plan: Plan
    seconds: float
    _times: list[float] = field(default_factory=list, init=False)
    _looked_at: float | None = field(default=None, init=False)
    _last: float = field(default=0.0, init=False)
    _doubt_s: float | None = field(default=None, init=False)

    def look(self, stage_index: int, step: int, clock: float) -> Plan | None:
        """Return another plan where this one would miss the time by far.

        Args:
            stage_index: which stage.
            step: which step of it was just done, from 0.
            clock: seconds of training so far.
        """
        if self._looked_at is None or step == 0:
            self._looked_at, self._times, self._last = clock, [], clock
            self._doubt_s = None
            return None
        self._times.append(clock - self._last)
        self._last = clock
        if clock - self._looked_at < max(LOOK_S, LOOK_SHARE * self.seconds):
            return self._grown(stage_index, step, clock)
        step_s = median_of_means(self._times)
        self._looked_at, self._times = clock, []
        before_s, self._doubt_s = self._doubt_s, None
        changed = self._changed(stage_index, step, clock, step_s)
        if changed is None or sum(changed.steps) > sum(self.plan.steps):
            return changed
        if before_s is None:
            self._doubt_s = step_s
            return None
        return self._changed(stage_index, step, clock, min(step_s, before_s))

    def _grown(self, stage_index: int, step: int, clock: float) -> Plan | None:
        """Return a longer plan where a good part of the steps took far less than they should."""
        num_told = max(FEWEST, round(QUICK_SHARE * self.plan.steps[stage_index]))
        if len(self._times) % num_told:
            return None
        changed = self._changed(stage_index, step, clock, median_of_means(self._times))
        if changed is None or sum(changed.steps) <= sum(self.plan.steps):
            return None
        self._looked_at, self._times, self._doubt_s = clock, [], None
        return changed

    def _changed(self, stage_index: int, step: int, clock: float, now_s: float) -> Plan | None:
        steps, step_s = self.plan.steps, self.plan.step_s
        slowness = now_s / step_s[stage_index]
        later = zip(steps[stage_index + 1 :], step_s[stage_index + 1 :], strict=True)
        left = steps[stage_index] - step - 1
        left_s = left * now_s + sum(n * s for n, s in later) * slowness
        clock += self.plan.after_s * slowness  # is spent for certain
        is_short = clock + left_s < TOO_SHORT * self.seconds
        highest = self._room(stage_index, step) if is_short else 1.0
        is_well = highest == 1 and clock + left_s <= TOO_LONG * self.seconds
        share = max(self.seconds - clock, LEAST_SHARE * self.seconds) / max(left_s, 1e-9)
        share = min(share, highest)
        if left < 1 or is_well or share == 1:
            return None
        kept = step + 1 + max(1, round(left * share))
        after = (max(1, round(n * share)) for n in steps[stage_index + 1 :])
        return replace(
            self.plan, steps=(*steps[:stage_index], kept, *after),
            step_s=tuple(s * slowness for s in step_s), after_s=self.plan.after_s * slowness,
        )  # fmt: skip

    def _room(self, stage_index: int, step: int) -> float:
        """Return how many times as many steps as are left there may be."""
        steps, most = self.plan.steps, self.plan.most
        if step >= LATEST * steps[stage_index]:
            return 1.0
        if most is None:
            return MOST_GROWTH
        left = sum(steps[stage_index:]) - step - 1
        return max(1.0, min(MOST_GROWTH, 1 + (most - sum(steps)) / max(1, left)))
