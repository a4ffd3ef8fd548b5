"""How sure a table is: pure functions of seeds' scores and of their replicates, which know nothing of MLflow or HTML."""
