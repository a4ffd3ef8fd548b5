"""Reports: what MLflow holds, as tables, pages and figures. Reads the record and nothing else."""
