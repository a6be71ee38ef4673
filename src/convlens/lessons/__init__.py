"""The five lessons: notebooks of the lectures' programs, and what their cells are given."""

from convlens.lessons.lesson import Lesson, Result

__all__ = ["Lesson", "Result"]
