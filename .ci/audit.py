"""Known vulnerabilities of the pinned packages, where the service that knows them answers.

Ends with 1 where one is known that a newer version mends; what nothing mends yet is named alone.
"""

import json
import subprocess
import sys

LOOK = ["--disable-pip", "--no-deps", "--progress-spinner", "off", "--timeout", "5", "-f", "json"]
PATIENCE = 120.0
"""Seconds that the service may take."""


def main() -> int:
    """Say in a line each what is known, or that nobody answers."""
    command = [sys.executable, "-m", "pip_audit", *LOOK, "-r", "constraints.txt"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        packages = []
    looked_up = [package for package in packages if "skip_reason" not in package]
    if not looked_up:
        say(
            "pip-audit: the service that knows vulnerabilities does not answer here; none looked up"
        )
        return 0
    say(f"pip-audit: {len(looked_up)} of {len(packages)} packages looked up")
    mended = False
    for package in looked_up:
        for known in package["vulns"]:
            fixes = ", ".join(known["fix_versions"])
            mended |= bool(fixes)
            say(f"{package['name']} {package['version']}: {known['id']}: {fixes or 'no fix yet'}")
    return int(mended)


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
