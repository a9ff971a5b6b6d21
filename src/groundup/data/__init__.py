"""Generators, and the small real data sets that groundup ships (licences: LICENSES.md beside this file).

Import from the modules themselves: `from groundup.data.text import default_text`.
"""
