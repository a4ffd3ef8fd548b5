"""The page of a corpus: one HTML file from which a stranger understands the world; opened by ``data show --page``.

:func:`~.build.build_page` gathers and draws it. Each other module gathers one of its parts.
"""
