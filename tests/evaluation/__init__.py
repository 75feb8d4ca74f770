"""How well documents are read: documents made here, read by mailbot, held against what they were made from.

Nothing here is imported by the readers, and nothing of the readers is imported by the makers: numbers, words and
layouts are written down twice on purpose.
"""
