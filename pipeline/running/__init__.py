"""Trials -> rows: the queue, its workers, the journal and what follows it.

May import studies and what lies below; only cluster.py knows ray, only
tracking.py mlflow.
"""
