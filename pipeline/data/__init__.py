"""How a data set gets into its folder, and what is written down of it."""
