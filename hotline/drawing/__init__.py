"""Draws a report: as a page, a workbook, a PDF, or JSON with its schema.

What enters: a `Report` (`metrics/reports/document.py`) and, where a person takes it away, a
watermark that names the person and the time. What leaves: the bytes of one file.

Read first: `files.py` (which formats there are).
"""
