"""What studies share: rows -> statistics, tensors -> floats, learners by description.

May import tasks, data and lightning_modules.
"""
