"""Measures the generators of checkpoints/ again: what their cards say, now.

python -m benchmarks.cards [--write]     prints what differs; --write corrects the cards
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from wgan.config import from_dict
from wgan.data import load
from wgan.persistence.run_files import plain_figures
from wgan.runs.evaluation import Evaluator
from wgan.threads import use_training_threads
from wgan.trainer import Trainer
from wgan.zoo.bundled import bundled
from wgan.zoo.card import metric_rows
from wgan.zoo.checkpoint import CONFIG, open_checkpoint


def observer(folder: Path) -> Evaluator:
    """Of a trainer with a checkpoint's networks, at its step: it measures as at the run's end."""
    settings = json.loads((folder / CONFIG).read_text())["architecture"]["settings"]
    config = from_dict(settings | {"device": "cpu"})
    checkpoint = open_checkpoint(folder)
    assert checkpoint.critic is not None
    assert checkpoint.steps is not None
    data = load(config, torch.device("cpu"))
    trainer = Trainer(config, data)
    trainer.shown_generator.load_state_dict(checkpoint.generator.state_dict())
    trainer.critic.load_state_dict(checkpoint.critic.state_dict())
    trainer.steps = checkpoint.steps
    return Evaluator(trainer, data)


def share_rows(shares: dict[str, dict[str, float]]) -> list[str]:
    """The card's table of attributes."""
    return [
        f"| {name} | {', '.join(f'{value} {share:.0%}' for value, share in values.items())} |"
        for name, values in shares.items()
    ]


def main(words: list[str]) -> None:
    use_training_threads()
    for one in bundled():
        looking = observer(one.folder)
        figures, shares = plain_figures(looking.measure()), looking.shares()
        path, card = one.folder / CONFIG, one.folder / "README.md"
        config, text = json.loads(path.read_text()), card.read_text(encoding="utf-8")
        for name, value in figures.items():
            if config["figures"].get(name) != value:
                print(f"{one.name}: {name} {config['figures'].get(name)} -> {value}")
        if "--write" in words:
            new = [*metric_rows(figures), *share_rows(shares)]
            labels = {row.split(" | ")[0]: row for row in new}
            lines = [labels.get(line.split(" | ")[0], line) for line in text.splitlines()]
            card.write_text("\n".join(lines) + "\n", encoding="utf-8")
            path.write_text(json.dumps(config | {"figures": figures}, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
