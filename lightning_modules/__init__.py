"""What learns: cells, networks, learning algorithms and the modules that train them."""
