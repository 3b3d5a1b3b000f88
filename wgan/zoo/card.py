"""Model cards: the README.md of a checkpoint, with the Hub's metadata in front."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from wgan.config import HUB, ExperimentConfig
from wgan.data.titles import about, title
from wgan.labels import method_of
from wgan.metrics.table import METRICS
from wgan.persistence.run_files import SAVED_METRICS, command, plain_figures
from wgan.runs.export import RunExport

if TYPE_CHECKING:
    from wgan.zoo.importers import Imported

# Photographs have owners: who publishes a generator of these names its licence.
UNLICENSED = ("celeba", "lsun", "folder")
# Where the data of a preset is on the Hub.
DATASETS = {
    "mnist": "ylecun/mnist",
    "fashion": "zalando-datasets/fashion_mnist",
    "cifar10": "uoft-cs/cifar10",
    "celeba": "flwrlabs/celeba",
    "lsun": "pcuenq/lsun-bedrooms",
}


def card_of_run(saved: RunExport, heading: str | None = None) -> str:
    """The card of a run: what it is, how it was made, what was measured."""
    config, steps = saved.config, saved.steps
    method = method_of(config)
    figures = plain_figures(saved.metrics)
    averaged = " The samples are those of the averaged generator." if figures["averaged"] else ""
    changes = [f"- step {event.step:,}: {event.text}" for event in saved.events]
    photos = config.data in UNLICENSED or config.data.startswith(HUB)
    return _card(
        heading or f"{title(config.data)} · {method}",
        tags=[*_method_tags(config), config.network, _tag(config.data)],
        dataset=DATASETS.get(config.data) or _hub_id(config.data),
        licence=None if photos else "mit",
        body=[
            f"A generator trained for {steps:,} steps with {method} on {title(config.data)}. "
            + about(config.data)
            + averaged,
            "## How it was made",
            "```bash\n" + command(saved.first_config, saved.events, steps) + "\n```",
            *(["The licence is to be named by who publishes it."] if photos else []),
            *(["Changed on the way:", "\n".join(changes)] if changes else []),
            "## What was measured at its end",
            "| figure | value |\n|---|---|\n" + "\n".join(metric_rows(figures)),
            *_shares(saved),
        ],
    )


def metric_rows(figures: Mapping[str, Any]) -> list[str]:
    """The card's table of a saved run's metrics."""
    return [f"| {METRICS[k].label} | {figures[k]} |" for k in SAVED_METRICS if k in figures]


def _shares(saved: RunExport) -> list[str]:
    """How 2,500 samples spread over the attributes, where these are known."""
    if not saved.shares:
        return []
    rows = [
        f"| {name} | {', '.join(f'{value} {share:.0%}' for value, share in shares.items())} |"
        for name, shares in saved.shares.items()
    ]
    return [
        "## Attributes of 2,500 samples",
        "In the data every value of an attribute is as frequent as the others.",
        "| attribute | share of the samples |\n|---|---|\n" + "\n".join(rows),
    ]


def card_of_import(imported: Imported) -> str:
    """The card of a generator that was made by others."""
    architecture = imported.architecture
    shape = "×".join(map(str, architecture.sample_shape))
    return _card(
        f"A {architecture.family} generator",
        tags=[architecture.family],
        dataset=None,
        licence=None,
        body=[
            f"Converted from other people's weights: {architecture.latent_dim} latents, "
            f"samples of {shape}. {imported.note} Its licence and its data are those of its "
            "authors: name them here before you publish it.",
        ],
    )


def _method_tags(config: ExperimentConfig) -> list[str]:
    penalised = config.objective == "wgan" and config.constraint.startswith("gp")
    return ["wgan-gp" if penalised else config.objective.replace("_", "-")]


def _tag(data: str) -> str:
    return data.removeprefix(HUB).rpartition("/")[2].lower()


def _hub_id(data: str) -> str | None:
    return data.removeprefix(HUB) if data.startswith(HUB) else None


def _card(
    heading: str,
    *,
    tags: Iterable[str],
    dataset: str | None,
    licence: str | None,
    body: list[str],
) -> str:
    from huggingface_hub import ModelCardData  # imported here: slow, and few need it

    known: dict[str, Any] = {"license": licence, "datasets": [dataset] if dataset else None}
    front = ModelCardData(
        library_name="wgan-lab",
        pipeline_tag="unconditional-image-generation",
        tags=["wgan-lab", "gan", *tags],
        ignore_metadata_errors=False,
        **{name: value for name, value in known.items() if value is not None},
    ).to_yaml()
    use = [
        "## How to use it",
        "With WGAN Lab:\n\n```bash\npython -m wgan sample DIR_OR_REPO --out samples.png\n```",
    ]
    parts = [f"---\n{front}\n---", f"# {heading}", "![Samples](samples.png)", *body, *use]
    return "\n\n".join(parts) + "\n"
