"""`sample`: text by a language model."""

from typing import Annotated

import typer

from pipeline.commands._asked import settings_at
from pipeline.commands._options import Scale

EXAMPLES = ('Example: python -m pipeline sample "ROMEO:" --length 300 --temperature 0.8 --train',)


def command(
    text: Annotated[str, typer.Argument(help="The beginning of the text.")] = "",
    length: Annotated[int, typer.Option(min=1, help="Characters, or words, that follow.")] = 200,
    temperature: Annotated[
        float, typer.Option(min=0, help="0 takes the likeliest each time, 1 draws as predicted.")
    ] = 0.8,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn.")] = 0,
    part: Annotated[str, typer.Option(help="characters or words.")] = "characters",
    model: Annotated[
        str | None, typer.Option(help="A name in params/language_model.yaml; the last if none.")
    ] = None,
    train: Annotated[
        bool, typer.Option(help="Train it first where no weights of it are kept.")
    ] = False,
    scale: Scale = None,
) -> None:
    """Continue a text with a language model of the study language_model."""
    from pipeline.running import sampling

    said = sampling.sample(
        settings_at(scale),
        text,
        part=part,
        model=model,
        length=length,
        temperature=temperature,
        seed=seed,
        train=train,
    )
    between = "" if part == "characters" or not text else " "
    typer.echo(f"{text}{between}{said}")
