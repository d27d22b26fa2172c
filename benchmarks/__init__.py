"""Speed and memory beside peers and floors, as ratios taken in one run."""
