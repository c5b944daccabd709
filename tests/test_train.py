"""Training: a run is a function of its recipe, whatever interrupts it."""

import dataclasses
import multiprocessing
import os
import random
import signal

import pytest
import torch

from medtut import checkpoint, recipes, train
from medtut.data.brain import Brain, Sample
from medtut.errors import BadInput

TINY = recipes.get("tiny")
SAVE_EVERY = 7


FILE = "state.safetensors"


def victim(out: str, threads: int, die_at: int | None, while_writing: bool) -> None:
    """Train; kill this process in step `die_at`, after its update, or in the middle of the next write."""
    torch.set_num_threads(threads)
    if die_at is not None:
        begun, update = [], train.update
        module, name = (os, "replace") if while_writing else (train, "average")
        unharmed = getattr(module, name)

        def deadly(*args):
            if begun[-1] >= die_at:
                os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
            return unharmed(*args)

        train.update = lambda *args: begun.append(args[-1]) or update(*args)
        setattr(module, name, deadly)
    train.train(TINY, out, device="cpu", save_every=SAVE_EVERY, progress_bar=False)


def launch(out, die_at=None, while_writing=False):
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["medtut.recipes"])
    child = context.Process(target=victim, args=(str(out), torch.get_num_threads(), die_at, while_writing))
    child.start()
    child.join()
    return child.exitcode


def test_a_run_killed_three_times_ends_at_the_same_bits(tmp_path):
    kills = sorted(random.sample(range(3, TINY.steps - SAVE_EVERY), 3))
    assert launch(tmp_path / "whole") == 0
    for die_at, while_writing in zip(kills, (False, True, False), strict=True):
        assert launch(tmp_path / "killed", die_at, while_writing) != 0, kills
    assert launch(tmp_path / "killed") == 0
    whole, progress = checkpoint.read_state(tmp_path / "whole" / FILE)
    killed, after = checkpoint.read_state(tmp_path / "killed" / FILE)
    assert progress.step == after.step == TINY.steps
    assert progress.losses == after.losses, kills
    assert whole.keys() == killed.keys()
    assert [k for k in whole if not torch.equal(whole[k], killed[k])] == [], kills
    assert sum(progress.losses[-10:]) < 0.9 * sum(progress.losses[:10])
    assert (tmp_path / "killed" / "loss.png").stat().st_size > 5000


@pytest.fixture(scope="module")
def short_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    train.train(TINY, out, device="cpu", steps=2, progress_bar=False)
    return out


def test_other_settings_are_refused_and_leave_the_state_alone(short_run):
    before = (short_run / FILE).read_bytes()
    with pytest.raises(BadInput, match="other settings \\(lr\\)"):
        train.train(dataclasses.replace(TINY, lr=2e-3), short_run, device="cpu", progress_bar=False)
    assert (short_run / FILE).read_bytes() == before


def test_the_end_may_move_only_while_the_past_stays_the_same(short_run):
    longer = dataclasses.replace(TINY, steps=80, hold=50)
    train.train(longer, short_run, device="cpu", steps=3, progress_bar=False)
    assert checkpoint.read_state(short_run / FILE)[1].step == 3
    with pytest.raises(BadInput, match="hold, steps"):
        train.train(dataclasses.replace(TINY, hold=1), short_run, device="cpu", progress_bar=False)


def test_a_batch_is_the_same_however_many_devices_share_it():
    cohort = TINY.cohort()
    whole = train.batch_at(TINY, cohort, 5)
    shares = [train.batch_at(TINY, cohort, 5, rank, 2) for rank in range(2)]
    for i in range(3):
        both = torch.stack([shares[0][i], shares[1][i]], 1).flatten(0, 1)
        assert torch.equal(both, whole[i])
    z = [torch.randn(2, generator=g) for g in whole[3]]
    for rank, share in enumerate(shares):
        for j, g in enumerate(share[3]):
            assert torch.equal(torch.randn(2, generator=g), z[rank + 2 * j])


def test_batches_of_different_steps_and_seeds_differ():
    first, next_step = (train.batch_at(TINY, TINY.cohort(), s) for s in (0, 1))
    other = dataclasses.replace(TINY, seed=1)
    other_seed = train.batch_at(other, other.cohort(), 0)
    for b in (next_step, other_seed):
        assert not torch.equal(first[0], b[0])
        assert not torch.equal(first[1], b[1])


class LabelsOnly(Brain):
    """A cohort without images, to look at many labels quickly."""

    def batch(self, indices):
        n = len(indices)
        return Sample(torch.zeros(n, 1, 8, 8), torch.full((n, 2), 0.5), None, None, None)


def test_each_condition_is_dropped_with_its_own_coin():
    wide = dataclasses.replace(TINY, batch=16)
    null = torch.cat([train.batch_at(wide, LabelsOnly(size=64), s)[2] for s in range(100)]) == -1
    n, p = len(null), wide.label_drop
    for rate, expected in ((null[:, 0], p), (null[:, 1], p), (null.all(1), p**2)):
        assert abs(rate.float().mean() - expected) < 4 * (expected * (1 - expected) / n) ** 0.5
    assert null.all(1).sum() > 0


def test_conditions_are_dropped_together_only_after_the_earlier_rounds():
    rounds = {"before": [(TINY.lr, 50, 100)], "hold": 150, "steps": 200}
    recipe = dataclasses.replace(TINY, batch=16, joint_drop=0.3, **rounds)
    null = [train.batch_at(recipe, LabelsOnly(size=64), s)[2] == -1 for s in range(200)]
    for part, joint in ((null[:100], 0.0), (null[100:], 0.3)):
        none = torch.cat(part).all(1)
        expected = joint + (1 - joint) * recipe.label_drop**2
        assert abs(none.float().mean() - expected) < 4 * (expected * (1 - expected) / len(none)) ** 0.5
    assert "joint_drop" in recipe.settings()
    assert "joint_drop" not in TINY.settings()  # hashes of runs without it stay what they were


def test_learning_rate_warms_up_holds_and_falls_to_zero():
    recipe = dataclasses.replace(TINY, warmup=20, hold=50, steps=100)
    rates = [recipe.lr_at(s) for s in range(recipe.steps + 1)]
    assert rates[0] == pytest.approx(recipe.lr / recipe.warmup)
    assert set(rates[recipe.warmup : recipe.hold]) == {recipe.lr}
    assert rates[(recipe.hold + recipe.steps) // 2] == pytest.approx(recipe.lr / 2)
    assert rates[-1] == 0


def test_a_later_round_warms_up_again_and_goes_on_from_an_earlier_run(tmp_path):
    short = dataclasses.replace(TINY, steps=3, hold=2)
    train.train(short, tmp_path, device="cpu", progress_bar=False)
    longer = dataclasses.replace(TINY, before=[(TINY.lr, 2, 3)], lr=5e-4, hold=20, steps=30)
    assert [longer.lr_at(s) for s in range(3)] == [short.lr_at(s) for s in range(3)]
    assert longer.lr_at(3) == pytest.approx(5e-4 / TINY.warmup)
    assert {longer.lr_at(s) for s in range(3 + TINY.warmup, 20)} == {5e-4}
    assert longer.lr_at(25) == pytest.approx(2.5e-4)
    train.train(longer, tmp_path, device="cpu", steps=4, progress_bar=False)
    assert checkpoint.read_state(tmp_path / FILE)[1].step == 4
    for changed in ({"before": [(2e-3, 2, 3)]}, {"joint_drop": 0.5}):
        with pytest.raises(BadInput, match="other settings"):
            train.train(dataclasses.replace(longer, **changed), tmp_path, device="cpu")


def test_the_hash_is_that_of_the_settings():
    assert TINY.hash() == dataclasses.replace(TINY, data=dict(reversed(TINY.data.items()))).hash()
    for f in dataclasses.fields(TINY):
        old = getattr(TINY, f.name)
        more = {dict: lambda d: {**d, "x": 1}, tuple: lambda t: (*t, 1), str: lambda s: s + "x"}
        changed = more.get(type(old), lambda number: number + 1)(old)
        assert dataclasses.replace(TINY, **{f.name: changed}).hash() != TINY.hash(), f.name


def test_an_unknown_recipe_is_refused_with_the_names_that_exist():
    with pytest.raises(BadInput, match="brain-128"):
        recipes.get("brain-1024")
