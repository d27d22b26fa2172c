"""GPUs: what the machine has, what torch was built for, and what it sees."""

import shutil
import subprocess
from collections.abc import Iterator

from pipeline.health._finding import Finding
from pipeline.health._settings import settings


def examine() -> Iterator[Finding]:
    """Compare the driver's GPUs with torch's, and with what params.yaml gives trials."""
    import torch

    built = f"torch {torch.__version__}, built for {torch.version.cuda or 'the processor alone'}"
    driven, seen = _driven(), torch.cuda.device_count()
    wanted = settings().dispatch.gpus
    if driven and not torch.version.cuda:
        install = "install the CUDA build of the torch version in constraints.txt"
        yield Finding(f"{built}; the driver knows {driven[0]}", install)
    elif driven and not seen:
        do = "unset CUDA_VISIBLE_DEVICES, or renew the driver: nvidia-smi"
        yield Finding(f"{built}, sees none of: {', '.join(driven)}", do)
    elif wanted and not seen:
        yield Finding(f"{built}; dispatch.gpus is {wanted:g}, and here is none", "set it to 0")
    elif seen:
        names = ", ".join(torch.cuda.get_device_name(i) for i in range(seen))
        idle = "" if wanted else "; dispatch.gpus is 0, so trials leave it alone"
        yield Finding(f"{built}, sees {names}{idle}")
    else:
        yield Finding(f"{built}; no GPU here, none asked for")


def _driven() -> list[str]:
    """Return the names of the GPUs that NVIDIA's driver knows; empty without a driver."""
    program = shutil.which("nvidia-smi")
    if not program:
        return []
    ask = [program, "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(ask, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []
