"""Trials -> rows: the queue, its workers, the journal and what follows it.

May import studies and what lies below; ray stands in one file, mlflow in another.
"""
