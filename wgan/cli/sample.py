"""`sample`: a grid of samples from a trained generator."""

from __future__ import annotations

import argparse
from pathlib import Path

from wgan.cli.bar import interruptible, share_bar
from wgan.cli.parsing import Commands
from wgan.zoo.errors import ZooError


def add(commands: Commands) -> None:
    samples = commands.add_parser("sample", help="draw samples from a trained generator")
    samples.add_argument(
        "source", metavar="CHECKPOINT_OR_REPO", help="a folder, file or OWNER/NAME"
    )
    samples.add_argument("-n", type=int, default=64, metavar="N", help="how many, 1 to 2,500")
    samples.add_argument("--seed", type=int, default=0, metavar="N")
    samples.add_argument("--truncation", type=float, metavar="SIGMAS")
    samples.add_argument("--out", type=Path, required=True, metavar="PNG")
    samples.set_defaults(command=interruptible(_sample))


def _sample(options: argparse.Namespace) -> int:
    from wgan.zoo.explore import NO_TRUNCATION, draw_latents
    from wgan.zoo.open import open_named
    from wgan.zoo.pictures import picture

    truncation = NO_TRUNCATION if options.truncation is None else options.truncation
    for name, value, low, high in (
        ("-n", options.n, 1, 2500),
        ("--seed", options.seed, 0, 2**31 - 1),
        ("--truncation", truncation, 0.1, NO_TRUNCATION),
    ):
        if not low <= value <= high:
            raise ZooError(f"{name} is {value}; allowed: a number from {low} to {high}.")
    with share_bar() as report:
        checkpoint = open_named(options.source, report)
        report("Drawing", 1.0)
        latents = draw_latents(checkpoint.architecture, options.n, options.seed, truncation)
        png = picture(checkpoint.sample(latents))
    try:
        options.out.write_bytes(png)
    except (OSError, ValueError) as error:
        raise ZooError(f"--out {options.out} cannot be written: {error}.") from None
    print(options.out)
    return 0
