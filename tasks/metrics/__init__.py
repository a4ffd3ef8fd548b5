"""Metrics as pure functions of arrays, shared by tasks; each says where its definition comes from."""
