"""Exercises of the primer: derivatives by hand, by nudging and by a tape, the layers, and the loop that trains them."""

from groundup.lessons.p00_numpy_and_pytorch.exercises_batch_norm import BATCH_NORM_BACKWARD
from groundup.lessons.p00_numpy_and_pytorch.exercises_broadcasting import ADD_MULTIPLY, UNBROADCAST
from groundup.lessons.p00_numpy_and_pytorch.exercises_cross_entropy import CROSS_ENTROPY
from groundup.lessons.p00_numpy_and_pytorch.exercises_elementwise import DROPOUT, GELU
from groundup.lessons.p00_numpy_and_pytorch.exercises_gradients import NUMERICAL_GRADIENT
from groundup.lessons.p00_numpy_and_pytorch.exercises_heads_torch import MULTI_HEAD_ATTENTION_TORCH
from groundup.lessons.p00_numpy_and_pytorch.exercises_layer_norm_torch import LAYER_NORM_TORCH
from groundup.lessons.p00_numpy_and_pytorch.exercises_linear import LINEAR
from groundup.lessons.p00_numpy_and_pytorch.exercises_softmax import LOG_SOFTMAX, SOFTMAX
from groundup.lessons.p00_numpy_and_pytorch.exercises_tape import TAPE
from groundup.lessons.p00_numpy_and_pytorch.exercises_training_torch import TRAINING_LOOP_TORCH

EXERCISES = (
    *(NUMERICAL_GRADIENT, UNBROADCAST, ADD_MULTIPLY, TAPE),
    *(LINEAR, GELU, SOFTMAX, LOG_SOFTMAX, CROSS_ENTROPY, DROPOUT, BATCH_NORM_BACKWARD),
    *(LAYER_NORM_TORCH, MULTI_HEAD_ATTENTION_TORCH, TRAINING_LOOP_TORCH),
)
