"""CT-SAN: concept words traced over frames, and four models that attend to them. J. Kim's thesis, chapter 4."""
