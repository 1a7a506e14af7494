"""The command line: python -m mnist_model data | recipe | train | evaluate | release."""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeAlias

from mnist_model import data
from mnist_model.classify import Classifier
from mnist_model.evaluate import examine
from mnist_model.feedback import Feedback, FeedbackError, load_feedback
from mnist_model.figures import table
from mnist_model.inputs import training_inputs
from mnist_model.metrics import summary
from mnist_model.recipes import RECIPES, Plan
from mnist_model.release import ReleaseError, newest, verify_release

Parser = argparse.ArgumentParser
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Run = Callable[[argparse.Namespace], int]

RELEASES = Path("artifacts/releases")
NO_CURRENT = 3
"""Exit status of `release current` when a training is needed."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 1 with a sentence why, 3 see NO_CURRENT."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except (data.DataError, FeedbackError, ReleaseError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    return status


def _data(options: argparse.Namespace) -> int:
    print(data.fetch(options.to))
    return 0


def _recipe(options: argparse.Namespace) -> int:
    facts = asdict(RECIPES[options.name])
    if options.json:
        print(json.dumps(facts))
    else:
        print("\n".join(f"{key:12} {value}" for key, value in facts.items()))
    return 0


def _train(options: argparse.Namespace) -> int:
    mnist = data.load(options.data)  # bad data is known before TensorFlow's slow import
    from mnist_model.export import ExportError  # noqa: PLC0415 - imports TensorFlow
    from mnist_model.resume import BusyError  # noqa: PLC0415
    from mnist_model.train import TrainingError, train  # noqa: PLC0415

    feedback = _feedback(options)
    plan = _plan(options, feedback, limit=options.limit)
    if options.epochs is not None:
        plan = replace(plan, recipe=replace(plan.recipe, epochs=options.epochs))
    try:
        release = train(mnist, plan, options.releases, _say, feedback)
    except (TrainingError, BusyError, ExportError) as error:
        print(f"no release was written: {error}", file=sys.stderr)
        return 1
    if release is None:
        _say("this worker is done; the first one writes the release")
        return 0
    _say(summary("MNIST test", release.manifest["accuracy"]["test"]))
    _say(f"release {release.name}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    for file in filter(None, (options.json, options.markdown)):
        if not file.parent.is_dir():
            raise NotADirectoryError(f"{file} cannot be written: {file.parent} is no directory")
        if file.is_dir():
            raise IsADirectoryError(f"{file} cannot be written: it is a directory, name a file")
    classifier = Classifier(verify_release(options.release))
    mnist = data.load(options.data)
    name = classifier.release.name
    print(f"release {name}")
    effort = "quick" if options.quick else "full"
    results = examine(classifier, mnist, effort, say=_progress).results
    print(f"\n{table(results)}", end="")
    sealed = classifier.release.manifest.get("evaluation")
    if sealed and sealed["effort"] == effort:
        same = (
            "are the same as those"
            if sealed == results
            else (
                "differ (another version of the program, or another machine's rounding) from those"
            )
        )
        print(f"\nThese figures {same} sealed in the release.")
    if options.json:
        text = json.dumps({"release": name, "evaluation": results}, indent=2)
        options.json.write_text(f"{text}\n", encoding="utf-8")
    if options.markdown:
        text = f"# Figures of release {name}\n\n{table(results)}"
        options.markdown.write_text(text, encoding="utf-8")
    return 0


def _progress(line: str) -> None:
    print(f"evaluating: {line}", file=sys.stderr, flush=True)


def _verify(options: argparse.Namespace) -> int:
    print(f"release {verify_release(options.release).name} is whole and unchanged")
    return 0


def _current(options: argparse.Namespace) -> int:
    plan = _plan(options, _feedback(options))
    release = newest(options.releases, training_inputs(plan))
    if release is None:
        print(
            f"{options.releases} has no release of recipe {options.recipe} with seed "
            f"{options.seed} from today's inputs: train one",
            file=sys.stderr,
        )
        return NO_CURRENT
    print(release.name)
    return 0


def _feedback(options: argparse.Namespace) -> Feedback | None:
    return load_feedback(options.feedback) if options.feedback else None


def _plan(options: argparse.Namespace, feedback: Feedback | None, limit: int | None = None) -> Plan:
    sha256 = feedback.sha256 if feedback else ""
    return Plan(RECIPES[options.recipe], options.seed, limit, sha256)


def _say(line: str) -> None:
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m mnist_model", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run: Run, name: str, text: str, *, under: Commands = commands) -> Parser:
        added = under.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        return added

    fetching = command(_data, "data", "fetch and verify MNIST; print where it is")
    fetching.add_argument("--to", type=Path, metavar="DIR", help="default: the user's cache")

    recipe = command(_recipe, "recipe", "show a recipe's hyper-parameters")
    recipe.add_argument("name", choices=RECIPES)
    recipe.add_argument("--json", action="store_true")

    training = command(_train, "train", "train a model and write a release")
    _add_choice_of_training(training)
    _add_data(training)
    training.add_argument("--limit", type=_whole_from(1), metavar="N", help="use only N pictures")
    training.add_argument(
        "--epochs", type=_whole_from(1), metavar="N", help="instead of the recipe's"
    )

    evaluation = command(_evaluate, "evaluate", "try a release on everything; print the figures")
    evaluation.add_argument("release", type=Path, metavar="RELEASE")
    evaluation.add_argument("--quick", action="store_true", help="few pictures, wide intervals")
    evaluation.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    evaluation.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there")
    _add_data(evaluation)

    release = commands.add_parser("release", help="verify a release, or find the current one")
    kinds = release.add_subparsers(required=True, metavar="COMMAND")
    verify = command(_verify, "verify", "check that a release is whole", under=kinds)
    verify.add_argument("release", type=Path, metavar="DIR")
    text = f"name the newest release trained from today's inputs; exit {NO_CURRENT} if none"
    _add_choice_of_training(command(_current, "current", text, under=kinds))
    return parser


def _add_choice_of_training(parser: Parser) -> None:
    parser.add_argument("--recipe", choices=RECIPES, default="best", help="default: best")
    parser.add_argument("--seed", type=_whole_from(0), default=1, metavar="N", help="default: 1")
    parser.add_argument(
        "--feedback", type=Path, metavar="DIR", help="reviewed drawings to learn from, too"
    )
    parser.add_argument(
        "--releases", type=Path, default=RELEASES, metavar="DIR", help=f"default: {RELEASES}"
    )


def _add_data(parser: Parser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="default: cache, or download")


def _whole_from(least: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        number = int(text)
        if not least <= number < 2**32:
            raise argparse.ArgumentTypeError(f"{text} is not in {least} to 4294967295")
        return number

    return whole


if __name__ == "__main__":
    sys.exit(main())
