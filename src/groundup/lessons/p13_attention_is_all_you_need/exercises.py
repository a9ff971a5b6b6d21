"""The exercises of lesson 13, in the order in which the lesson comes to them."""

from groundup.lessons.p13_attention_is_all_you_need.exercises_beam import BEAM
from groundup.lessons.p13_attention_is_all_you_need.exercises_decoding import GREEDY
from groundup.lessons.p13_attention_is_all_you_need.exercises_layer import ENCODER_LAYER
from groundup.lessons.p13_attention_is_all_you_need.exercises_loss import PADDING_MASK, SMOOTHED_LOSS
from groundup.lessons.p13_attention_is_all_you_need.exercises_training import AVERAGE, WARMUP

EXERCISES = (PADDING_MASK, ENCODER_LAYER, SMOOTHED_LOSS, WARMUP, AVERAGE, GREEDY, BEAM)
