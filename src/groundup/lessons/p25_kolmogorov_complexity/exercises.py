"""Exercises of the lesson: prefix codes, Elias's code, counting, compression distance and clustering."""

from groundup.lessons.p25_kolmogorov_complexity.exercises_codes import CODE, IS_PREFIX_FREE, KRAFT
from groundup.lessons.p25_kolmogorov_complexity.exercises_counting import LENGTH, SHARE
from groundup.lessons.p25_kolmogorov_complexity.exercises_distance import DISTANCE, LINKAGE, NEIGHBOURS
from groundup.lessons.p25_kolmogorov_complexity.exercises_elias import DECODE, ENCODE

EXERCISES = (KRAFT, IS_PREFIX_FREE, CODE, ENCODE, DECODE, LENGTH, SHARE, DISTANCE, LINKAGE, NEIGHBOURS)
