"""The record: what stages leave behind, sent to MLflow, and looked up again by the next bench.

MLflow is imported when a store is opened, never with these modules. What lies where is in ``docs/record.md``.
"""
