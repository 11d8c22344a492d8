"""Learning in this process: resuming, stopping, weights of rows and schedules."""

import math

import boto3
import keras
import numpy as np
import pytest
from moto.server import ThreadedMotoServer
from sklearn.utils.class_weight import compute_class_weight

from components.common.errors import BadInputError, UnavailableError
from components.training.checkpoint import Checkpoints, State
from components.training.cross_validate import cross_validate, join
from components.training.fit import Problem, fit_model
from components.training.follow_schedule import make_optimizer
from components.training.hyperparameters import Hyperparameters
from components.training.learn import Hopeless, Learning, Saving
from components.training.read_arrays import Arrays, Layout
from components.training.weigh_losses import weigh_classes

LAYOUT = Layout(["a"], ["b"], [7])


def arrays(seed, rows=900):
    draw = np.random.default_rng(seed)
    a, b = draw.normal(size=(rows, 1)).astype(np.float32), draw.integers(0, 7, (rows, 1)).astype(np.int32)
    label = (a[:, 0] + b[:, 0] - 3 + draw.normal(size=rows) > 0).astype(np.float32)
    return Arrays({"numbers": a, "indices": b}, label)


TRAIN, EVAL = arrays(1), arrays(2, 300)


def problem(**changes):
    point = Hyperparameters(**{"epochs": 3, "units": 8, "dropout": 0.2, "bins": 8, "members": 2, **changes})
    return Problem(LAYOUT, "binary", ["no", "yes"], point, 3)


class KilledError(Exception):
    pass


def kill_after(executions, patch):
    """Let no training get further than some executions of steps."""
    advance, seen = Learning._advance, []

    def until_killed(self, *arguments):
        if len(seen) == executions:
            raise KilledError
        seen.append(1)
        advance(self, *arguments)

    patch.setattr(Learning, "_advance", until_killed)


@pytest.mark.parametrize("executions", [1, 3, 4])
def test_a_training_that_was_killed_goes_on_to_the_same_weights(tmp_path, monkeypatch, executions):
    whole = fit_model(problem(), TRAIN, EVAL)
    saving = Saving(Checkpoints(str(tmp_path)), 0.0)
    with monkeypatch.context() as patched:
        kill_after(executions, patched)
        with pytest.raises(KilledError):
            fit_model(problem(), TRAIN, EVAL, saving=saving)
    resumed = fit_model(problem(), TRAIN, EVAL, saving=saving)
    assert resumed.metrics == whole.metrics
    assert resumed.curve == whole.curve
    for one, other in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_same_seed_gives_the_same_metrics_and_another_one_others():
    first, again = (fit_model(problem(), TRAIN, EVAL).metrics for _ in range(2))
    assert first == again
    assert fit_model(problem()._replace(seed=4), TRAIN, EVAL).metrics != first


def test_learning_stops_after_patience_and_keeps_the_best_weights():
    fitted = fit_model(problem(epochs=40, patience=2, learning_rate=0.05), TRAIN, EVAL)
    losses = [point["eval_loss"] for point in fitted.curve]
    assert len(losses) == np.argmin(losses) + 3
    assert math.isclose(fitted.metrics["log_loss"], min(losses), rel_tol=1e-5)


def test_a_damaged_newest_checkpoint_is_passed_over_with_a_warning(tmp_path):
    told = []
    checkpoints = Checkpoints(str(tmp_path / "here"), told.append)
    for step in (64, 128, 192):
        checkpoints.save(State(step, {"a": np.full(3, step)}, {"step": step}))
    older, newest = sorted((tmp_path / "here").iterdir())
    newest.write_bytes(newest.read_bytes()[:-9])
    found = checkpoints.newest()
    assert (found.step, found.facts, found.arrays["a"].tolist()) == (128, {"step": 128}, [128] * 3)
    assert "is damaged and is passed over" in told[0]
    older.write_bytes(b"")
    assert checkpoints.newest() is None
    checkpoints.remove()
    assert not (tmp_path / "here").exists()


@pytest.fixture
def bucket(monkeypatch):
    """An address in a real S3 server (moto) on the loopback."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*moto.get_host_and_port()))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    boto3.resource("s3").Bucket("kept").create()
    yield boto3.resource("s3").Bucket("kept")
    moto.stop()


def test_a_training_goes_on_from_an_object_store(bucket, monkeypatch):
    whole = fit_model(problem(), TRAIN, EVAL)
    saving = Saving(Checkpoints("s3://kept/trials/a"), 0.0)
    with monkeypatch.context() as patched:
        kill_after(2, patched)
        with pytest.raises(KilledError):
            fit_model(problem(), TRAIN, EVAL, saving=saving)
    *_, newest = sorted(bucket.objects.all(), key=lambda one: one.key)
    newest.put(Body=b"cut short")
    told = []
    resumed = fit_model(
        problem(), TRAIN, EVAL, saving=Saving(Checkpoints("s3://kept/trials/a", told.append), 0.0)
    )
    assert "is damaged and is passed over" in told[0]
    assert (resumed.metrics, resumed.curve) == (whole.metrics, whole.curve)
    saving.checkpoints.remove()
    assert not list(bucket.objects.all())
    with pytest.raises(UnavailableError, match=r"checkpoints cannot be kept: .*training\.checkpoint_dir"):
        Checkpoints("s3://nowhere/trials").save(State(1, {}, {}))
    assert "nowhere" not in {one.name for one in boto3.resource("s3").buckets.all()}


def test_huge_values_are_named_by_epoch_step_and_rate():
    broken = Arrays({**TRAIN.inputs, "numbers": np.full_like(TRAIN.inputs["numbers"], 3e38)}, TRAIN.label)
    with pytest.raises(BadInputError, match=r"learning rate 0.000707.*epoch 1, step \d+ of 100"):
        fit_model(problem(bins=0), broken, EVAL)


def test_balanced_weights_are_those_of_scikit_learn():
    label = np.array([0, 0, 0, 0, 1, 2, 2])
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=label)
    np.testing.assert_allclose(weigh_classes(label, ["a", "b", "c"], "balanced"), wanted, rtol=1e-6)


def test_given_weights_keep_their_ratio_and_rows_weigh_one_on_average():
    weights = weigh_classes(np.array([0, 0, 0, 1]), ["no", "yes"], {"yes": 6.0})
    assert weights.tolist() == pytest.approx([4 / 9, 24 / 9])


def test_class_weights_move_probabilities_towards_the_rare_class():
    rare = np.flatnonzero((TRAIN.label == 0) | (np.arange(900) % 8 == 0))
    plain = problem(bins=0)
    even = plain._replace(class_weight="balanced")
    found = [fit_model(one, TRAIN.take(rare), EVAL).model for one in (plain, even)]
    means = [float(np.mean(keras.ops.sigmoid(model(EVAL.inputs)))) for model in found]
    assert means[1] > means[0] + 0.1


@pytest.mark.parametrize(
    ("schedule", "wanted"),
    [("cosine", 0.5 * (1 + math.cos(math.pi * 0.25))), ("linear", 0.75), ("constant", 1)],
)
def test_schedules_are_their_formulas(schedule, wanted):
    _, rate = make_optimizer(Hyperparameters(schedule=schedule, learning_rate=0.01), steps=400)
    assert rate(100) == pytest.approx(0.01 * wanted, rel=1e-6)


def test_folds_share_out_all_rows_once_and_give_mean_and_deviation():
    held_out = []

    def fit(rows, fold, number):
        held_out.append(fold.label)
        assert len(rows.label) + len(fold.label) == 1200
        return {"auc": float(number)}

    assert cross_validate(fit, join(TRAIN, EVAL), folds=4) == {
        "auc": 1.5,
        "auc_deviation": np.std([0, 1, 2, 3], ddof=1),
    }
    shares = [float(np.mean(label)) for label in held_out]
    assert sum(map(len, held_out)) == 1200
    assert max(shares) - min(shares) < 0.01  # classes are spread evenly


def test_a_hopeless_training_ends_with_its_curve():
    whole = fit_model(problem(), TRAIN, EVAL)
    lowest = np.minimum.accumulate([point["eval_loss"] for point in whole.curve])
    assert fit_model(problem(), TRAIN, EVAL, limits=[*lowest]).curve == whole.curve
    with pytest.raises(Hopeless, match=r"after epoch 2: .* above the median") as ended:
        fit_model(problem(), TRAIN, EVAL, limits=[lowest[0], lowest[1] - 1e-6])
    assert ended.value.curve == whole.curve[:2]
