"""What examinations ask params.yaml."""

from pipeline.errors import UserError
from pipeline.params import FILE, Settings, load


def settings() -> Settings:
    """Return what params.yaml says; UserError where that is nothing, which `parameters` tells."""
    try:
        return load()
    except UserError:
        raise UserError(f"not examined: mend {FILE} first") from None
