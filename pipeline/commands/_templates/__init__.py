"""What `new` writes: a small member of each room that works, whose class is called Example."""
