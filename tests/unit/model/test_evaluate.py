"""The evaluation finds what is there: on the committed release, and on readers that are made up."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from mnist_model import suites
from mnist_model.card import write_card
from mnist_model.classify import Classifier
from mnist_model.corrupt import CORRUPTIONS
from mnist_model.data import Mnist
from mnist_model.evaluate import certain, evaluate
from mnist_model.figures import table
from mnist_model.metrics import accuracy, digits
from mnist_model.release import verify_release
from mnist_model.strings import GAPS
from tests.unit.model.conftest import FIXTURE


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(verify_release(FIXTURE))


@pytest.fixture(scope="module")
def results(classifier: Classifier, mnist: Mnist) -> dict:
    return evaluate(classifier, mnist, "quick")


@pytest.mark.slow
def test_every_suite_is_there_and_is_json(results: dict, classifier: Classifier) -> None:
    assert json.loads(json.dumps(results)) == results
    counts = {
        "test": 10_000,
        "canvas": suites.EFFORTS["quick"].digits,
        "other_writers": 1797,
        "corruptions": suites.EFFORTS["quick"].corrupted * len(CORRUPTIONS),
        "coverage": suites.EFFORTS["quick"].strings,
    }
    for name, count in counts.items():
        low, high = results[name]["interval95"]
        assert results[name]["count"] == count, name
        assert low <= results[name]["accuracy"] <= high, name
    assert (
        sum(each["correct"] for each in results["test"]["per_digit"]) == results["test"]["correct"]
    )
    assert results["strings"].keys() == {*GAPS, "mixed", "mixed, length not told"}
    spaced = [results["strings"][name]["strings"]["count"] for name in GAPS]
    assert sum(spaced) == results["strings"]["mixed"]["strings"]["count"]
    assert results["certain"]["digit"]["threshold"] == classifier.release.certain_digit


@pytest.mark.slow
def test_the_committed_release_is_good(results: dict) -> None:
    assert results["test"]["accuracy"] > 0.99
    assert results["canvas"]["accuracy"] > 0.95
    assert results["other_writers"]["accuracy"] > 0.93
    assert results["corruptions"]["accuracy"] > 0.9
    assert results["strings"]["apart"]["digits"]["accuracy"] > 0.95
    assert results["calibration"]["ece_after"] < 0.01


@pytest.mark.slow
def test_figures_are_the_same_in_every_run(
    results: dict, classifier: Classifier, mnist: Mnist
) -> None:
    again = evaluate(classifier, mnist, "quick")
    assert again == results


class Parrot:
    """Says 3, whatever it is shown, and is sure of it."""

    def __init__(self) -> None:
        self.release = SimpleNamespace(
            temperature=1.0, certain_digit=0.9, certain_line=0.5, line_weights=None
        )

    def logits(self, pictures: np.ndarray) -> np.ndarray:
        return np.tile(np.eye(10, dtype=np.float32)[3] * 5, (len(pictures), 1))

    def probabilities(self, pictures: np.ndarray) -> np.ndarray:
        odds = np.exp(self.logits(pictures))
        return odds / odds.sum(axis=1, keepdims=True)

    def digit_logs(self, pictures: np.ndarray) -> np.ndarray:
        return np.log(self.probabilities(pictures))

    def line_logs(self, pictures: np.ndarray) -> np.ndarray:
        return np.pad(self.digit_logs(pictures), ((0, 0), (0, 1)), constant_values=-np.inf)


@pytest.mark.slow
def test_a_parrot_gets_what_it_deserves(mnist: Mnist) -> None:
    results = evaluate(Parrot(), mnist, "quick")  # type: ignore[arg-type]
    assert results["test"]["correct"] == (mnist.test_labels == 3).sum()
    assert [each["accuracy"] for each in results["test"]["per_digit"]] == [0, 0, 0, 1] + [0] * 6
    assert results["other_writers"]["correct"] == 183  # threes among scikit-learn's digits
    assert results["strings"]["mixed"]["strings"]["accuracy"] < 0.05
    assert results["coverage"]["accuracy"] == 0
    assert results["calibration"]["ece_after"] > 0.8
    certain = results["certain"]["digit"]
    assert certain["certain"]["accuracy"] == 1
    assert certain["right_of_certain"]["accuracy"] < 0.3


@pytest.mark.slow
def test_when_nothing_is_certain_it_says_so(results: dict) -> None:
    unsure = certain(suites.Answers(np.array([True, False]), np.array([0.5, 0.4])), 0.9)
    assert unsure["certain"]["correct"] == 0
    assert unsure["right_of_certain"] is None
    text = table({**results, "certain": {"digit": unsure, "line": unsure}})
    assert re.search(r"\| 0\.9000 +\| 0\.0% +\| 0 +\| - ", text)


@pytest.mark.slow
def test_the_table_says_what_the_results_say(results: dict) -> None:
    text = table(results)
    assert "quick look" in text
    assert f"| {results['test']['accuracy']:.2%} " in text
    assert f"| {results['canvas']['accuracy']:.2%} " in text
    for name in (*CORRUPTIONS, *GAPS):
        assert f"\n| {name} " in text
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in rows}) <= 1
    assert "quick look" not in table({**results, "effort": "full"})


@pytest.mark.slow
def test_without_scikit_learn_it_says_so_loudly(
    results: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "SKIPPED" not in table(results)
    assert "SKIPPED: scikit-learn is not installed" in table({**results, "other_writers": None})

    def none(name: str) -> None:
        raise suites.PackageNotFoundError(name)

    monkeypatch.setattr(suites, "distribution", none)
    assert suites.other_writers() is None


@pytest.mark.slow
def test_the_card_tells_the_figures_and_what_certain_means(
    results: dict, classifier: Classifier
) -> None:
    release = classifier.release
    card = write_card({**release.manifest, "evaluation": results})
    assert table(results) in card
    assert f"certain from {release.certain_digit:.4f} on" in card
    assert f"certain from {release.certain_line:.4f} on" in card
    assert f"temperature of {release.temperature}," in card
    assert "CC BY-SA 3.0" in card
    assert "About 15 of the 10,000 test labels are wrong" in card
    assert "{" not in card


@pytest.mark.slow
def test_the_test_set_counts_as_plain_accuracy_does(
    results: dict, classifier: Classifier, mnist: Mnist
) -> None:
    read = digits(classifier.probabilities(mnist.test_pictures))
    expected = accuracy(mnist.test_labels, read)
    assert {key: results["test"][key] for key in expected} == expected
