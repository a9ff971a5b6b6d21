"""Exercises of the character network: characters in and out, recurrent cells and their gradients, training steps."""

from groundup.lessons.p02_char_rnn import (
    exercises_adaptive,
    exercises_bptt,
    exercises_characters,
    exercises_gru,
    exercises_lstm,
    exercises_optim,
    exercises_recurrent,
    exercises_sampling,
    exercises_schedule,
)

EXERCISES = (
    *exercises_characters.EXERCISES,
    *exercises_sampling.EXERCISES,
    *exercises_recurrent.EXERCISES,
    *exercises_bptt.EXERCISES,
    *exercises_lstm.EXERCISES,
    *exercises_gru.EXERCISES,
    *exercises_schedule.EXERCISES,
    *exercises_optim.EXERCISES,
    *exercises_adaptive.EXERCISES,
)
