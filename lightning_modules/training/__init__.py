"""What trains: the only files that import lightning, probes aside."""
