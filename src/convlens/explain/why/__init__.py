"""Why a network gave an answer: maps with their evidence, in the terminal and on a page."""
