"""Speed and memory beside other libraries and lower bounds, as ratios measured in one run."""
