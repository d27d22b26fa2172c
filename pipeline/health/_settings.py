"""The settings in params.yaml, for examinations."""

from pipeline.errors import UserError
from pipeline.params import FILE, Settings, load


def settings() -> Settings:
    """Return the settings; UserError if params.yaml is wrong: `parameters` reports how."""
    try:
        return load()
    except UserError:
        raise UserError(f"not examined: mend {FILE} first") from None
