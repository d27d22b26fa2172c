"""The files that `new` copies: a small working member of each room, whose class is Example."""
