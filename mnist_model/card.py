"""A release's CARD.md: the manifest's facts for people, with what the model is and is not for."""

from collections.abc import Mapping
from typing import Any

from mnist_model.calibrate import RISK_OF_DIGIT, RISK_OF_LINE
from mnist_model.figures import table
from mnist_model.metrics import summary


def write_card(facts: Mapping[str, Any]) -> str:
    """Return the model card, in Markdown, for the facts of a manifest."""
    training, network, calibration = facts["training"], facts["network"], facts["calibration"]
    recipe = training["recipe"]
    libraries = ", ".join(f"{name} {version}" for name, version in training["libraries"].items())
    return f"""# Model card

A convolutional network that reads one handwritten digit, 0 to 9, from a 28x28 picture as in MNIST.

## How good it is
- {summary("MNIST test, the serving model", facts["accuracy"]["test"])}
- {summary("validation", facts["accuracy"]["validation"])}

The test set was used once, for these figures; every digit but those of MNIST's own test went the
road of an upload, every string was composed of test digits by `mnist_model/strings.py`. `report/`
has the learning curves, the confusion matrix, all misread digits, the reliability diagram and the
risk-coverage curve. `python -m mnist_model evaluate` on this release finds the same figures again.

{table(facts["evaluation"])}
## What its confidences mean
Found on the validation part of the training set, before the test set was looked at:
- Logits are divided by a temperature of {calibration["temperature"]}, so that of the answers with
  a confidence of 90% nine in ten are right. This holds for pictures like MNIST's; of others it is
  too sure.
- A digit is called certain from {calibration["certain_digit"]:.4f} on: at most {RISK_OF_DIGIT:.1%}
  of those called certain should be wrong, of a mix of plain, moved and corrupted digits.
- A line of digits is called certain from {calibration["certain_line"]:.4f} on: at most
  {RISK_OF_LINE:.0%} of those called certain should be wrong, of five digits in mixed spacing.
- Whether this held on new pictures is in the table "What is called certain". It says nothing of
  what is no digit at all.

## How it was made
- network: {network["parameters"]:,} parameters; served as {facts["serving"]["description"]}
- recipe `{recipe["name"]}`, {recipe["epochs"]} epochs, seed {training["seed"]}
- {training["pictures"]:,} pictures to learn from and {training["validation_pictures"]:,} to
  validate, out of MNIST's training set
- {training["seconds"]:.0f} s on {training["machine"]}
- {libraries}

## What it is for, and what not
- It expects pictures made by the project's `normalise`, of the version in the manifest: one digit,
  cropped, fitted into 20x20 and centred by mass.
- It knows digits only: of anything else it says a digit too, often with high confidence.
- MNIST's writers were employees of the US Census Bureau and high-school students, around 1990.
  Other hands (a 7 with a bar, a 1 with a long upstroke, a 4 closed at the top) are read worse.
- About 15 of the 10,000 test labels are wrong by human validation (labelerrors.com); a score above
  99.85% would in part be a fit to wrong labels.

## Data
MNIST, Y. LeCun, C. Cortes, C. Burges; derived from NIST's Special Databases 1 and 3; CC BY-SA 3.0.
The files' SHA-256 are in `manifest.json`.
"""
