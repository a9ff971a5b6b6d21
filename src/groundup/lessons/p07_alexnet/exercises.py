"""Exercises of the lesson: convolution, pooling, local response norm, augmentation."""

from groundup.lessons.p07_alexnet.exercises_augmentation import RANDOM_CROP, SHIFT
from groundup.lessons.p07_alexnet.exercises_convolution import CONV2D, CONV2D_BACKWARD
from groundup.lessons.p07_alexnet.exercises_pooling import LRN, MAX_POOL
from groundup.lessons.p07_alexnet.exercises_windows import COL2IM, IM2COL

EXERCISES = (IM2COL, COL2IM, CONV2D, CONV2D_BACKWARD, MAX_POOL, LRN, RANDOM_CROP, SHIFT)
