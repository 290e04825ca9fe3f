"""How well searches of one's own pictures work, without a server: `make quality IMAGES=FOLDER`.

What is asked is the name of each folder, in lower case with spaces for underscores; words for what folders are kinds
of, "animal" or "vehicle", where these are known; pictures, for the others of their folder; and captions, where there
are any. `harness/questions.py` says how answers are scored, `harness/honesty.py` how it is measured whether they tell
present from absent. What a text finds is put in order as the gateway does it for the model, and by its code.

Writes `results/quality-NAME.json`, a chart of the folders, and a page that opens from disk. Ends with status 1 where
the input is wrong or a figure is lower than AT_LEAST has it.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from sightline_encoder import models

from benchmarks.harness import honesty, pictures, questions, results
from benchmarks.harness.bootstrap import interval
from benchmarks.harness.captions import read_captions
from benchmarks.harness.embeddings import embedded
from benchmarks.harness.floors import missed, read_floors
from benchmarks.harness.honesty import Honesty
from benchmarks.harness.outcome import FLOORED, MEASURES, TELLING, Difference, Input, Outcome, compared, measure
from benchmarks.harness.pictures import Vectors, query_of
from benchmarks.harness.quality_page import write_page
from benchmarks.harness.questions import DEPTH, KINDS
from benchmarks.harness.ranking import Rows
from benchmarks.harness.results import Failed, say

MOST_DRAWN = 60
"""Folders in the chart: of more, the worst."""


def honest(model: models.Model, rows: Rows, given: Input) -> Honesty:
    """Measure whether a model's answers are honest."""
    say("asking for what is there and what was left out")
    labels = given.labels
    found = Honesty(honesty.tell(model, labels, rows))
    say("comparing the engine's answers with exact ones")
    texts = [query_of(name) for name in questions.classes(labels)] + [caption for _, caption in given.captions]
    drawn = np.random.default_rng(honesty.SEED).permutation(len(texts))[: honesty.MOST_QUERIES]
    vectors = pictures.encode_texts(model, [texts[place] for place in drawn])
    found.engine["name"] = honesty.engine_recall(rows.vectors, vectors, by_text=True)
    found.engine["picture"] = honesty.engine_recall(rows.visual, rows.visual, by_text=False)
    return found


def show(outcomes: Sequence[Outcome], honest: Honesty, differences: Sequence[Difference]) -> None:
    """Print the tables."""
    first = outcomes[0]
    order = sorted(first.scores, key=lambda score: -score.precision)
    for outcome in outcomes:
        rows: list[list[object]] = []
        for kind, answers in outcome.answers.items():
            means = answers.means()
            sure = interval(answers.measures[TELLING[kind]])
            between = f"{sure.low:.3f} to {sure.high:.3f}" if sure.is_known else ""
            values = [f"{means[name]:.3f}" if name in means else "" for name in MEASURES]
            rows.append([KINDS[kind], len(answers.asked), *values, f"{TELLING[kind].replace('_at_', '@')}: {between}"])
        shown = [name.replace("precision_at_", "p@").replace("recall_at_", "r@") for name in MEASURES]
        results.show(["asked", "questions", *shown, "95 % interval"], rows, outcome.name)
    if order:
        by_name = [
            dict(zip(one.answers["name"].asked, one.answers["name"].measures["map"], strict=True)) for one in outcomes
        ]
        rows = [
            [
                one.name,
                one.size,
                *(value for outcome in outcomes for value in [outcome.precisions[one.name]]),
                *(float(each[one.name]) for each in by_name),
                ", ".join(f"{other} ({times})" for other, times in one.instead),
            ]
            for one in order
        ]
        headers = [f"{what} {outcome.name}" for what in (f"p@{DEPTH}", "ap") for outcome in outcomes]
        results.show(["class", "pictures", *headers, "in its place"], rows)
    if honest.told:
        names = list(next(iter(honest.told.values())).figures)
        rows = [[name.replace("_", " "), *(told.figures[name] for told in honest.told.values())] for name in names]
        results.show(["present or absent", *(KINDS[kind] for kind in honest.told)], rows)
    rows = [["texts" if kind == "name" else KINDS[kind], one.mean, one.count] for kind, one in honest.engine.items()]
    results.show([f"recall@{honesty.NEAREST} of the engine", "", "questions"], rows)
    for one in differences:
        print(one.verdict)


def draw(name: str, outcomes: Sequence[Outcome]) -> None:
    """Draw the precision of each folder's name."""
    order = sorted(outcomes[0].scores, key=lambda score: score.precision)[:MOST_DRAWN][::-1]
    if order:
        title = f"Precision of the first {DEPTH} for each folder's name: {name}"
        series = {each.name: {query_of(one.name): each.precisions[one.name] for one in order} for each in outcomes}
        results.draw_bars(f"quality-{name}", title, series)


def write(
    given: Input, outcomes: Sequence[Outcome], honest: Honesty, differences: Sequence[Difference]
) -> dict[str, float]:
    """Write the figures as JSON; return them by name."""
    first = outcomes[0]
    figures = first.figures | honest.figures()
    settings = {
        "images": str(given.found.folder),
        "pictures": len(given.keys),
        "unreadable": len(given.found.keys) - len(given.keys),
        **first.settings,
        **honesty.described(),
    }
    for other in outcomes[1:]:
        figures |= {f"compare_{name}": value for name, value in other.figures.items()}
        settings["compare"] = other.settings
    results.write(
        f"quality-{given.found.name}",
        settings=settings,
        figures=figures,
        quiet=True,
        classes={outcome.name: outcome.precisions for outcome in outcomes},
        intervals={
            f"{kind}_{name}": asdict(interval(values))
            for kind, answers in first.answers.items()
            for name, values in answers.measures.items()
        },
        reliability={kind: [asdict(one) for one in told.bins] for kind, told in honest.told.items()},
        differences=[asdict(one) for one in differences],
    )
    return figures


def read_input(images: str | None, captions: str | None) -> Input:
    """Return what there is to measure.

    Raises:
        Failed: There is no folder, nothing in it that can be asked for, or the captions are wrong.
    """
    found = pictures.find(images)
    pairs = list(found.captions.items())
    if captions is not None:
        pairs = read_captions(Path(captions).expanduser(), found.keys)
    labels = np.array([found.label(key) or "" for key in found.keys])
    if not pairs and not questions.classes(labels):
        raise Failed(
            f"there is nothing to ask for in {found.folder}: its {len(found.keys):,} pictures lie in no folders, whose"
            " names would be searched for, and have no captions (CAPTIONS=FILE, a CSV of file,caption)"
        )
    if len(found.keys) < 2:
        raise Failed(f"{found.folder} has one picture, which every search finds: at least two are needed")
    return Input(found, pairs, found.keys)


def embed_all(given: Input, choices: Sequence[str | None]) -> tuple[Input, list[tuple[models.Model, Rows]]]:
    """Embed with each model; return the pictures that every one can read, and their rows by each."""
    # The second model first: one that cannot be had is better known before the other has embedded.
    loaded = [pictures.load(choice) for choice in reversed(choices)][::-1]
    kept = [embedded(model, given.found, choice) for model, choice in zip(loaded, choices, strict=True)]
    keys = sorted(set(kept[0][0]).intersection(*(keys for keys, _ in kept[1:])))
    if len(keys) < 2:
        raise Failed(f"of {len(given.found.keys):,} pictures in {given.found.folder} only {len(keys)} can be read")
    if not questions.classes(Input(given.found, [], keys).labels) and not {key for key, _ in given.captions} & set(
        keys
    ):
        raise Failed(f"none of the pictures in {given.found.folder} that have a folder or a caption can be read")
    rows = []
    for model, (own, both) in zip(loaded, kept, strict=True):
        places = {key: place for place, key in enumerate(own)}
        chosen: Vectors = both[[places[key] for key in keys]]
        rows.append((model, Rows.of(model, chosen)))
    return Input(given.found, given.captions, keys), rows


def main() -> None:
    """Measure, print, draw, write, and fail where a figure is too low."""
    text = (str, None)
    options = results.options(
        "quality", __doc__, "a folder whose folders are labels", compare=text, captions=text, report=text, at_least=text
    )
    began = time.monotonic()
    floors = read_floors(options.at_least or "", FLOORED)
    given = read_input(options.images, options.captions)
    folder = results.RESULTS if options.report is None else Path(options.report).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failed(f"REPORT={options.report} cannot be made: {error.strerror}") from error
    choices = [None, *filter(None, [options.compare])]
    given, embedded_by = embed_all(given, choices)
    named = [choice or model.id for choice, (model, _) in zip(choices, embedded_by, strict=True)]
    outcomes = [measure(given, *one, name) for one, name in zip(embedded_by, named, strict=True)]
    is_honest = honest(*embedded_by[0], given)
    differences = compared(outcomes)
    show(outcomes, is_honest, differences)
    name = given.found.name
    draw(name, outcomes)
    figures = write(given, outcomes, is_honest, differences)
    written = results.RESULTS / f"quality-{name}.json"
    if folder.resolve() != results.RESULTS.resolve():
        written = Path(shutil.copy(written, folder))
    print(f"written: {written}")
    too_low = missed(floors, figures)
    page = folder / f"quality-{name}.html"
    write_page(page, given, outcomes, is_honest, differences, too_low, time.monotonic() - began)
    print(f"page: {page}")
    if unreadable := len(given.found.keys) - len(given.keys):
        say(f"{unreadable:,} of {len(given.found.keys):,} pictures cannot be read: they are left out")
    if too_low:
        sys.exit("\n".join(too_low))


if __name__ == "__main__":
    main()
